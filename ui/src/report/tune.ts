// The page of a tuned policy: the evidence first, then the charts of the winner with another run beside it.

import { moneyText, numberText, shortText } from "../charts/figures";
import { type Point, scatter } from "../charts/scatter";
import { type Tile, h, section, table, tiles, verdictSign } from "./elements";
import { type Outcome, type PageModel, type Parameters, type Run, type Score, unpackRun } from "./model";
import { notesSection, policySection, spanSentence, title } from "./rehearsal";
import { type Range, type Stake, stakeOf } from "./stake";
import { type Timeline, timeline } from "./timeline";

export function parameterText(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name} ${value}`)
    .join(" · ");
}

function ranged(value: number, { low, high }: Range, text: (value: number) => string): HTMLElement {
  return h("span", {}, text(value), low === high ? null : h("small", {}, `${text(low)} – ${text(high)}`));
}

const percentText = (value: number): string => `${shortText(value)} %`;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function kept(score: Score): HTMLElement {
  return h("span", { class: score.objective_met ? "kept" : "missed" }, verdictSign(score.objective_met), score.objective_met ? " kept" : " missed");
}

// "33 % less than", "5 % more than", "as much as".
export function comparedText(usd: number, other: number): string {
  if (!(other > 0)) return "–";
  const share = (100 * (usd - other)) / other;
  if (Math.abs(share) < 0.05) return "the same";
  return `${shortText(Math.abs(share))} % ${share < 0 ? "less" : "more"}`;
}

// A contender that the winner should be measured by: it keeps the objective, or the winner does not either, and is
// cheaper (or earns more) on the unseen traffic.
export interface BetterRival {
  name: string;
  money: string; // "8 % less"
  risk: "safer" | "as safe" | "less safe"; // by the share of minutes that the stake names
}

function riskBeside(risk: number, other: number): BetterRival["risk"] {
  return risk < other ? "safer" : risk === other ? "as safe" : "less safe";
}

// The best first. The present settings have their own place in the headline.
export function betterRivals(unseen: Outcome["unseen"], stake: Stake): BetterRival[] {
  const [tuned, ...others] = unseen;
  if (!tuned) return [];
  return others
    .filter((one) => one.name !== "present" && stake.byMoney(one.score, tuned.score) < 0)
    .filter((one) => one.score.objective_met || !tuned.score.objective_met)
    .sort((a, b) => stake.byMoney(a.score, b.score))
    .map((one): BetterRival => ({
      name: one.name,
      money: comparedText(stake.moneyOf(one.score), stake.moneyOf(tuned.score)),
      risk: riskBeside(stake.riskOf(one.score), stake.riskOf(tuned.score)),
    }))
    .filter((rival) => rival.money !== "the same");
}

// "target tracking costs 8 % less than the winner and violates the objective less".
export function rivalSentence(rival: BetterRival, stake: Stake): string {
  const does = stake.earns ? "is down" : "violates the objective";
  const risk = { safer: ` and ${does} less`, "as safe": ` and ${does} as little`, "less safe": `, though it ${does} more` };
  return `${rival.name} ${stake.verb} ${rival.money} than the winner${risk[rival.risk]}`;
}

// ", and costs 33 % less than the present settings".
export function besidePresent(tuned: Score, present: Score, stake: Stake): string {
  const money = comparedText(stake.moneyOf(tuned), stake.moneyOf(present));
  if (money === "–") return "";
  return `, and ${stake.verb} ${money} ${money === "the same" ? "as" : "than"} the present settings`;
}

function headline(outcome: Outcome, stake: Stake): HTMLElement {
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
  const money = tuned && present ? besidePresent(tuned.score, present.score, stake) : "";
  const rivals = betterRivals(outcome.unseen, stake);
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
        best ? `; a rival ${stake.earns ? "earns more and is" : "is cheaper and"} ${best.risk}: ${best.name}` : null,
      ),
      ...rivals.map((rival) => h("p", { class: "rival" }, `${rivalSentence(rival, stake)}.`)),
      h("p", {}, outcome.binding),
    ),
  );
}

function comparison(outcome: Outcome, stake: Stake): HTMLElement {
  const tuned = outcome.unseen[0]!;
  return section(
    "On unseen traffic",
    `${outcome.unseen_description}: nobody was tuned on it. Figures are means over the replications, below them their 95 % intervals; a month is 730 hours.`,
    table(
      [
        { title: "Policy" },
        { title: "Objective" },
        { title: `${capital(stake.money)} a month`, numeric: true },
        { title: `Tuned ${stake.verb}`, numeric: true },
        { title: `${capital(stake.risk)}, of minutes`, numeric: true },
        { title: "CPU mean", numeric: true },
        { title: "CPU max", numeric: true },
        { title: "Parameters" },
      ],
      outcome.unseen.map((one, k) => ({
        strong: k === 0,
        cells: [
          h("span", {}, one.name, one.evaluated > 1 ? h("small", {}, `best of ${numberText(one.evaluated, 0)}`) : null),
          kept(one.score),
          ranged(stake.moneyOf(one.score), stake.moneyRange(one.score), moneyText),
          k === 0 ? "" : comparedText(stake.moneyOf(tuned.score), stake.moneyOf(one.score)),
          ranged(stake.riskOf(one.score), stake.riskRange(one.score), percentText),
          `${shortText(one.score.cpu_percent_mean)} %`,
          `${shortText(one.score.cpu_percent_max)} %`,
          h("span", { class: "parameters" }, parameterText(one.parameters) || "as set"),
        ],
      })),
      "Policies compared on unseen traffic",
    ),
  );
}

// What a policy costs against what it risks, whatever the aim: the choice that is left to people.
function frontSection(model: PageModel, outcome: Outcome, stake: Stake): HTMLElement | null {
  const best = outcome.best;
  const onFront = new Set(outcome.front.map((candidate) => candidate.index));
  const points: Point[] = [];
  const lines = (name: string, parameters: Parameters, cost: number, risk: number, cpu: number): string[] => [
    name,
    ...Object.entries(parameters).map(([key, value]) => `${key} ${value}`),
    `${moneyText(cost)} a month, ${stake.risk} ${percentText(risk)}, CPU mean ${percentText(cpu)}`,
  ];
  for (const one of model.sample ?? []) {
    if (onFront.has(one.index) || one.index === best.index) continue;
    const risk = stake.earns ? one.downtime_percent : one.objective_violation_percent;
    points.push({
      x: one.cost_usd_per_month,
      y: risk,
      ink: "muted",
      size: 2.5,
      shape: one.feasible ? "dot" : "ring",
      lines: lines(one.feasible ? "keeps the objective" : "misses the objective", one.parameters, one.cost_usd_per_month, risk, one.cpu_percent_mean),
    });
  }
  for (const one of outcome.front) {
    if (one.index === best.index) continue;
    points.push({
      x: one.score.cost_usd_per_month,
      y: stake.riskOf(one.score),
      ink: "front",
      size: 4,
      shape: "dot",
      stop: true,
      lines: lines(one.feasible ? "on the front, keeps the objective" : "on the front, misses the objective", one.parameters, one.score.cost_usd_per_month, stake.riskOf(one.score), one.score.cpu_percent_mean),
    });
  }
  if (points.length === 0) return null;
  points.push({
    x: best.score.cost_usd_per_month,
    y: stake.riskOf(best.score),
    ink: "winner",
    size: 9,
    shape: "star",
    stop: true,
    lines: lines(outcome.found ? "the winner" : "the nearest miss", best.parameters, best.score.cost_usd_per_month, stake.riskOf(best.score), best.score.cpu_percent_mean),
  });
  const front = [...outcome.front].sort((a, b) => a.score.cost_usd_per_month - b.score.cost_usd_per_month);
  const allowed = stake.earns ? 0 : Number(model.objective.violation_percent_allowed.toPrecision(10));
  const against = stake.earns ? "Cost against downtime" : "Cost against objective";
  const legend = h(
    "ul",
    { class: "legend" },
    h("li", {}, h("span", { class: "glyph glyph-winner" }, "★"), outcome.found ? "winner" : "nearest miss"),
    h("li", {}, h("span", { class: "glyph glyph-front" }, "●"), "front: nothing is both cheaper and better"),
    h("li", {}, h("span", { class: "glyph" }, "●"), "keeps the objective"),
    h("li", {}, h("span", { class: "glyph" }, "○"), "misses it"),
  );
  return section(
    against,
    `${numberText(outcome.evaluated, 0)} policies tried on the tuning traffic, ${numberText(outcome.feasible, 0)} keep the objective.`,
    scatter({
      xTitle: "cost a month on the tuning traffic, US dollars",
      yTitle: stake.earns ? "down, % of minutes" : "objective violated, % of minutes",
      description: `${against}: ${outcome.front.length} policies on the front. Left and right arrow keys step through them.`,
      points,
      path: front.map((one) => ({ x: one.score.cost_usd_per_month, y: stake.riskOf(one.score) })),
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

function sensitivitySection(outcome: Outcome, stake: Stake): HTMLElement | null {
  const rows = outcome.sensitivities.filter((row) => row.matters);
  const idle = outcome.sensitivities.filter((row) => !row.matters);
  if (outcome.sensitivities.length === 0) return null;
  const least = Math.min(...rows.map((row) => stake.moneySeen(row).low));
  const most = Math.max(...rows.map((row) => stake.moneySeen(row).high));
  const same = (low: number, high: number): string => (low < high ? ` (the same from ${low} to ${high})` : "");
  return section(
    "What matters",
    "One parameter at a time changes, the others stay as the winner has them.",
    rows.length === 0
      ? null
      : table(
          [{ title: "Parameter" }, { title: "Winner", numeric: true }, { title: `${capital(stake.money)} a month`, numeric: true }, { title: "" }, { title: `${capital(stake.risk)}, of minutes`, numeric: true }],
          rows.map((row) => ({ row, money: stake.moneySeen(row), risk: stake.riskSeen(row) })).map(({ row, money, risk }) => ({
            cells: [
              h("span", {}, row.parameter, row.at_edge ? h("small", {}, "the winner is at the end of its range: widen it") : null),
              shortText(row.value),
              `${moneyText(money.low)} – ${moneyText(money.high)}`,
              rangeBar(money.low, money.high, least, most),
              `${shortText(risk.low)} – ${percentText(risk.high)}`,
            ],
          })),
          "How much each parameter matters",
        ),
    idle.length === 0
      ? null
      : h("p", { class: "idle" }, "Do not matter: ", idle.map((row) => `${row.parameter}${same(row.unchanged_low, row.unchanged_high)}`).join(", "), "."),
  );
}

function variationSection(outcome: Outcome, stake: Stake): HTMLElement | null {
  if (outcome.variations.length === 0) return null;
  const figures = [{ title: `${capital(stake.money)} a month`, numeric: true }, { title: capital(stake.risk), numeric: true }];
  const cells = (score: Score): (HTMLElement | string)[] => [kept(score), moneyText(stake.moneyOf(score)), percentText(stake.riskOf(score))];
  return section(
    "If things turn out otherwise",
    "The winner and the present settings under varied traffic and start-up times.",
    table(
      [{ title: "Variation" }, { title: "Tuned" }, ...figures, { title: "Present" }, ...figures],
      outcome.variations.map((variation) => ({ cells: [variation.name, ...cells(variation.tuned), ...cells(variation.present)] })),
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
  const stake = stakeOf(outcome);
  const runs = model.runs.map((_, k) => unpackRun(model, k));
  const page = document.createDocumentFragment();
  const aim = outcome.aim === "utilisation" ? "the highest mean utilisation that keeps the objective" : outcome.aim === "profit" ? "the most profitable policy" : "the cheapest policy that keeps the objective";
  page.append(
    title(model, "tuned policy", `${aim}${model.objective.text ? `: ${model.objective.text}` : ""}`),
    headline(outcome, stake),
  );
  if (outcome.stopped_early) {
    page.append(h("p", { class: "warning" }, `The search was stopped early: this is the best of ${numberText(outcome.evaluated, 0)} policies tried.`));
  }
  const tuned = outcome.unseen[0];
  const present = outcome.unseen.find((one) => one.name === "present");
  const score = tuned?.score ?? outcome.best.score;
  const list: Tile[] = [
    {
      label: `${capital(stake.money)} a month, tuned`,
      value: moneyText(stake.moneyOf(score)),
      note: present ? `present settings ${moneyText(stake.moneyOf(present.score))}` : undefined,
    },
    {
      label: stake.earns ? "Down" : "Objective violated",
      value: percentText(stake.riskOf(score)),
      note: present ? `present settings ${percentText(stake.riskOf(present.score))}` : "of minutes",
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
  if (outcome.unseen.length > 0) page.append(comparison(outcome, stake));
  const pair = [frontSection(model, outcome, stake), sensitivitySection(outcome, stake)].filter((one): one is HTMLElement => one !== null);
  if (pair.length > 0) page.append(h("div", { class: pair.length > 1 ? "pair" : "" }, ...pair));
  const variations = variationSection(outcome, stake);
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
