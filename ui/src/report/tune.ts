// The page of a tuned policy: the evidence first, then the charts of the winner with another run beside it.

import { moneyText, numberText, shortText } from "../charts/figures";
import { type Point, scatter } from "../charts/scatter";
import { type Tile, h, section, table, tiles, verdictSign } from "./elements";
import { type Outcome, type PageModel, type Parameters, type Run, type Score, unpackRun } from "./model";
import { notesSection, policySection, spanSentence, title } from "./rehearsal";
import { type Timeline, timeline } from "./timeline";

export function parameterText(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name} ${value}`)
    .join(" · ");
}

function ranged(value: number, low: number, high: number, text: (value: number) => string): HTMLElement {
  return h("span", {}, text(value), low === high ? null : h("small", {}, `${text(low)} – ${text(high)}`));
}

function month(score: Score): HTMLElement {
  const perMonth = score.cost_usd_per_month;
  if (score.cost_usd === 0) return h("span", {}, moneyText(0));
  const scale = perMonth / score.cost_usd;
  return ranged(perMonth, score.cost_usd_low * scale, score.cost_usd_high * scale, moneyText);
}

function violation(score: Score): HTMLElement {
  return ranged(score.objective_violation_percent, score.objective_violation_percent_low, score.objective_violation_percent_high, (value) => `${shortText(Math.max(0, value))} %`);
}

function kept(score: Score): HTMLElement {
  return h("span", { class: score.objective_met ? "kept" : "missed" }, verdictSign(score.objective_met), score.objective_met ? " kept" : " missed");
}

// "33 % less than", "5 % more than", "as much as".
export function comparedText(usd: number, other: number): string {
  if (other === 0 || !Number.isFinite(other)) return "–";
  const share = (100 * (usd - other)) / other;
  if (Math.abs(share) < 0.05) return "the same";
  return `${shortText(Math.abs(share))} % ${share < 0 ? "less" : "more"}`;
}

// A contender that the winner should be measured by: it keeps the objective, or the winner does not either, and is
// cheaper on the unseen traffic.
export interface BetterRival {
  name: string;
  money: string; // "8 % less"
  risk: "safer" | "as safe" | "less safe"; // by how long the objective is violated
}

function riskBeside(violated: number, other: number): BetterRival["risk"] {
  return violated < other ? "safer" : violated === other ? "as safe" : "less safe";
}

// The cheapest first. The present settings have their own place in the headline.
export function betterRivals(unseen: Outcome["unseen"]): BetterRival[] {
  const [tuned, ...others] = unseen;
  if (!tuned) return [];
  return others
    .filter((one) => one.name !== "present" && one.score.cost_usd < tuned.score.cost_usd)
    .filter((one) => one.score.objective_met || !tuned.score.objective_met)
    .sort((a, b) => a.score.cost_usd - b.score.cost_usd)
    .map((one): BetterRival => ({
      name: one.name,
      money: comparedText(one.score.cost_usd, tuned.score.cost_usd),
      risk: riskBeside(one.score.objective_violation_percent, tuned.score.objective_violation_percent),
    }))
    .filter((rival) => rival.money !== "the same");
}

// "target tracking costs 8 % less than the winner and violates the objective less".
export function rivalSentence(rival: BetterRival): string {
  const risk = { safer: " and violates the objective less", "as safe": " and violates the objective as little", "less safe": ", though it violates the objective more" };
  return `${rival.name} costs ${rival.money} than the winner${risk[rival.risk]}`;
}

function headline(outcome: Outcome): HTMLElement {
  const [tuned] = outcome.unseen;
  const present = outcome.unseen.find((one) => one.name === "present");
  if (!outcome.found) {
    return h(
      "div",
      { class: "verdict missed" },
      verdictSign(false),
      h("div", {}, h("strong", {}, "No policy of this search keeps the objective"), h("p", {}, `What is shown is the nearest miss. ${outcome.binding}`)),
    );
  }
  const met = tuned?.score.objective_met ?? true;
  const money = tuned && present
    ? `, and costs ${comparedText(tuned.score.cost_usd, present.score.cost_usd)}${comparedText(tuned.score.cost_usd, present.score.cost_usd) === "the same" ? " as the present settings" : " than the present settings"}`
    : "";
  const rivals = betterRivals(outcome.unseen);
  const best = rivals.find((rival) => rival.risk !== "less safe");
  return h(
    "div",
    { class: `verdict ${met ? "kept" : "missed"}` },
    verdictSign(met),
    h(
      "div",
      {},
      h(
        "strong",
        {},
        `The tuned policy ${met ? "keeps" : "misses"} the objective on unseen traffic${money}`,
        best ? `; a rival is cheaper and ${best.risk}: ${best.name}` : null,
      ),
      ...rivals.map((rival) => h("p", { class: "rival" }, `${rivalSentence(rival)}.`)),
      h("p", {}, outcome.binding),
    ),
  );
}

function comparison(outcome: Outcome): HTMLElement {
  const tuned = outcome.unseen[0]!;
  return section(
    "On unseen traffic",
    `${outcome.unseen_description}: nobody was tuned on it. Figures are means over the replications, below them their 95 % intervals; a month is 730 hours.`,
    table(
      [
        { title: "Policy" },
        { title: "Objective" },
        { title: "Cost a month", numeric: true },
        { title: "Tuned costs", numeric: true },
        { title: "Violated, of minutes", numeric: true },
        { title: "CPU mean", numeric: true },
        { title: "CPU max", numeric: true },
        { title: "Parameters" },
      ],
      outcome.unseen.map((one, k) => ({
        strong: k === 0,
        cells: [
          h("span", {}, one.name, one.evaluated > 1 ? h("small", {}, `best of ${numberText(one.evaluated, 0)}`) : null),
          kept(one.score),
          month(one.score),
          k === 0 ? "" : comparedText(tuned.score.cost_usd, one.score.cost_usd),
          violation(one.score),
          `${shortText(one.score.cpu_percent_mean)} %`,
          `${shortText(one.score.cpu_percent_max)} %`,
          h("span", { class: "parameters" }, parameterText(one.parameters) || "as set"),
        ],
      })),
      "Policies compared on unseen traffic",
    ),
  );
}

function frontSection(model: PageModel, outcome: Outcome): HTMLElement | null {
  const best = outcome.best;
  const onFront = new Set(outcome.front.map((candidate) => candidate.index));
  const points: Point[] = [];
  const lines = (name: string, parameters: Parameters, cost: number, violated: number, cpu: number): string[] => [
    name,
    ...Object.entries(parameters).map(([key, value]) => `${key} ${value}`),
    `${moneyText(cost)} a month, violated ${shortText(violated)} %, CPU mean ${shortText(cpu)} %`,
  ];
  for (const one of model.sample ?? []) {
    if (onFront.has(one.index) || one.index === best.index) continue;
    points.push({
      x: one.cost_usd_per_month,
      y: one.objective_violation_percent,
      ink: "muted",
      size: 2.5,
      shape: one.feasible ? "dot" : "ring",
      lines: lines(one.feasible ? "keeps the objective" : "misses the objective", one.parameters, one.cost_usd_per_month, one.objective_violation_percent, one.cpu_percent_mean),
    });
  }
  for (const one of outcome.front) {
    if (one.index === best.index) continue;
    points.push({
      x: one.score.cost_usd_per_month,
      y: one.score.objective_violation_percent,
      ink: "front",
      size: 4,
      shape: "dot",
      stop: true,
      lines: lines(one.feasible ? "on the front, keeps the objective" : "on the front, misses the objective", one.parameters, one.score.cost_usd_per_month, one.score.objective_violation_percent, one.score.cpu_percent_mean),
    });
  }
  if (points.length === 0) return null;
  points.push({
    x: best.score.cost_usd_per_month,
    y: best.score.objective_violation_percent,
    ink: "winner",
    size: 9,
    shape: "star",
    stop: true,
    lines: lines(outcome.found ? "the winner" : "the nearest miss", best.parameters, best.score.cost_usd_per_month, best.score.objective_violation_percent, best.score.cpu_percent_mean),
  });
  const front = [...outcome.front].sort((a, b) => a.score.cost_usd_per_month - b.score.cost_usd_per_month);
  const allowed = Number(model.objective.violation_percent_allowed.toPrecision(10));
  const legend = h(
    "ul",
    { class: "legend" },
    h("li", {}, h("span", { class: "glyph glyph-winner" }, "★"), outcome.found ? "winner" : "nearest miss"),
    h("li", {}, h("span", { class: "glyph glyph-front" }, "●"), "front: nothing is both cheaper and better"),
    h("li", {}, h("span", { class: "glyph" }, "●"), "keeps the objective"),
    h("li", {}, h("span", { class: "glyph" }, "○"), "misses it"),
  );
  return section(
    "Cost against objective",
    `${numberText(outcome.evaluated, 0)} policies tried on the tuning traffic, ${numberText(outcome.feasible, 0)} keep the objective.`,
    scatter({
      xTitle: "cost a month on the tuning traffic, US dollars",
      yTitle: "objective violated, % of minutes",
      description: `Cost against objective: ${outcome.front.length} policies on the front. Left and right arrow keys step through them.`,
      points,
      path: front.map((one) => ({ x: one.score.cost_usd_per_month, y: one.score.objective_violation_percent })),
      ...(allowed > 0 ? { limit: { y: allowed, label: `${shortText(allowed)} % is allowed` } } : {}),
    }),
    legend,
  );
}

// A bar from low to high on a scale that all rows share.
function rangeBar(low: number, high: number, least: number, most: number): HTMLElement {
  const span = most - least || 1;
  const bar = h("span", { class: "range-bar", "aria-hidden": "true" });
  const fill = h("span", {});
  fill.style.left = `${(100 * (low - least)) / span}%`;
  fill.style.width = `${Math.max(1.5, (100 * (high - low)) / span)}%`;
  bar.append(fill);
  return bar;
}

function sensitivitySection(outcome: Outcome): HTMLElement | null {
  const rows = outcome.sensitivities.filter((row) => row.matters);
  const idle = outcome.sensitivities.filter((row) => !row.matters);
  if (outcome.sensitivities.length === 0) return null;
  const least = Math.min(...rows.map((row) => row.cost_usd_per_month_low));
  const most = Math.max(...rows.map((row) => row.cost_usd_per_month_high));
  const same = (low: number, high: number): string => (low < high ? ` (the same from ${low} to ${high})` : "");
  return section(
    "What matters",
    "One parameter at a time changes, the others stay as the winner has them.",
    rows.length === 0
      ? null
      : table(
          [{ title: "Parameter" }, { title: "Winner", numeric: true }, { title: "Cost a month", numeric: true }, { title: "" }, { title: "Violated, of minutes", numeric: true }],
          rows.map((row) => ({
            cells: [
              h("span", {}, row.parameter, row.at_edge ? h("small", {}, "the winner is at the end of its range: widen it") : null),
              shortText(row.value),
              `${moneyText(row.cost_usd_per_month_low)} – ${moneyText(row.cost_usd_per_month_high)}`,
              rangeBar(row.cost_usd_per_month_low, row.cost_usd_per_month_high, least, most),
              `${shortText(row.objective_violation_percent_low)} – ${shortText(row.objective_violation_percent_high)} %`,
            ],
          })),
          "How much each parameter matters",
        ),
    idle.length === 0
      ? null
      : h("p", { class: "idle" }, "Do not matter: ", idle.map((row) => `${row.parameter}${same(row.unchanged_low, row.unchanged_high)}`).join(", "), "."),
  );
}

function variationSection(outcome: Outcome): HTMLElement | null {
  if (outcome.variations.length === 0) return null;
  return section(
    "If things turn out otherwise",
    "The winner and the present settings under varied traffic and start-up times.",
    table(
      [{ title: "Variation" }, { title: "Tuned" }, { title: "Cost a month", numeric: true }, { title: "Violated", numeric: true }, { title: "Present" }, { title: "Cost a month", numeric: true }, { title: "Violated", numeric: true }],
      outcome.variations.map((variation) => ({
        cells: [
          variation.name,
          kept(variation.tuned),
          moneyText(variation.tuned.cost_usd_per_month),
          `${shortText(variation.tuned.objective_violation_percent)} %`,
          kept(variation.present),
          moneyText(variation.present.cost_usd_per_month),
          `${shortText(variation.present.objective_violation_percent)} %`,
        ],
      })),
      "The winner under variations",
    ),
  );
}

// The charts with their two choices: which run, and which other beside it.
function chartsSection(model: PageModel, runs: Run[]): { element: HTMLElement; start: () => void } {
  let shown: Timeline | null = null;
  const host = h("div", {});
  const label = (run: Run): string => `${run.name} on ${run.trafficText}`;
  const pickRun = h("select", { "aria-label": "Run shown" }, ...runs.map((run, k) => h("option", { value: String(k) }, label(run))));
  const pickOther = h("select", { "aria-label": "Run beside it" });
  const sameTraffic = (a: number, b: number): boolean => model.runs[a]!.traffic === model.runs[b]!.traffic;
  const fillOthers = (): void => {
    const chosen = Number(pickRun.value);
    const others = runs.map((_, k) => k).filter((k) => k !== chosen && sameTraffic(k, chosen));
    pickOther.replaceChildren(
      ...others.map((k) => h("option", { value: String(k) }, runs[k]!.name)),
      h("option", { value: "" }, "nothing"),
    );
    pickOther.disabled = others.length === 0;
  };
  const span = h("p", { class: "section-note" });
  const show = (): void => {
    const kept = shown ? [shown.view.min, shown.view.max] as const : null;
    const run = runs[Number(pickRun.value)]!;
    const other = pickOther.value === "" ? null : runs[Number(pickOther.value)]!;
    shown?.stop();
    shown = timeline(model, run, other);
    span.textContent = `${spanSentence(run)} · seed ${run.seed}`;
    host.replaceChildren(shown.element);
    // The same span stays in view where the other run has it too.
    if (kept && kept[0] >= shown.view.first && kept[1] <= shown.view.last) shown.view.show(kept[0], kept[1]);
    shown.start();
  };
  pickRun.addEventListener("change", () => {
    fillOthers();
    show();
  });
  pickOther.addEventListener("change", show);
  fillOthers();
  const element = section(
    "Run by run",
    null,
    h("div", { class: "pickers" }, h("label", {}, "Show ", pickRun), h("label", {}, "beside ", pickOther)),
    span,
    host,
  );
  return { element, start: show };
}

export function tunePage(model: PageModel, outcome: Outcome): { element: DocumentFragment; start: () => void } {
  const runs = model.runs.map((_, k) => unpackRun(model, k));
  const page = document.createDocumentFragment();
  const aim = outcome.aim === "utilisation" ? "the highest mean utilisation that keeps the objective" : outcome.aim === "profit" ? "the most profitable policy" : "the cheapest policy that keeps the objective";
  page.append(
    title(model, "tuned policy", `${aim}${model.objective.text ? `: ${model.objective.text}` : ""}`),
    headline(outcome),
  );
  if (outcome.stopped_early) {
    page.append(h("p", { class: "warning" }, `The search was stopped early: this is the best of ${numberText(outcome.evaluated, 0)} policies tried.`));
  }
  const tuned = outcome.unseen[0];
  const present = outcome.unseen.find((one) => one.name === "present");
  const score = tuned?.score ?? outcome.best.score;
  const list: Tile[] = [
    {
      label: "Cost a month, tuned",
      value: moneyText(score.cost_usd_per_month ?? NaN),
      note: present ? `present settings ${moneyText(present.score.cost_usd_per_month ?? NaN)}` : undefined,
    },
    {
      label: "Objective violated",
      value: `${shortText(score.objective_violation_percent)} %`,
      note: present ? `present settings ${shortText(present.score.objective_violation_percent)} %` : "of minutes",
    },
    { label: "Highest utilisation", value: `${shortText(score.cpu_percent_max)} %`, note: `mean ${shortText(score.cpu_percent_mean)} %` },
    { label: "Policies tried", value: numberText(outcome.evaluated, 0), note: `${numberText(outcome.feasible, 0)} keep the objective` },
  ];
  page.append(
    tiles(list),
    h(
      "p",
      { class: "winner" },
      h("span", { class: "winner-title" }, outcome.found ? "Winner" : "Nearest miss"),
      ...Object.entries(outcome.best.parameters).map(([name, value]) => h("span", { class: "parameter" }, `${name} `, h("b", {}, String(value)))),
    ),
  );
  if (outcome.unseen.length > 0) page.append(comparison(outcome));
  const pair = [frontSection(model, outcome), sensitivitySection(outcome)].filter((one): one is HTMLElement => one !== null);
  if (pair.length > 0) page.append(h("div", { class: pair.length > 1 ? "pair" : "" }, ...pair));
  const variations = variationSection(outcome);
  if (variations) page.append(variations);
  let start = (): void => undefined;
  if (runs.length > 0) {
    const charts = chartsSection(model, runs);
    page.append(charts.element);
    start = charts.start;
    const distinct = runs.filter((run, k) => runs.findIndex((one) => one.name === run.name) === k);
    page.append(policySection(distinct));
  }
  const notes = notesSection([...outcome.notes, ...runs.flatMap((run) => run.notes)]);
  if (notes) page.append(notes);
  return { element: page, start };
}
