// Opens report pages in Chromium, from the file system, and checks what only a browser can tell.
//
//   node tests/page.mjs [--shots FOLDER] PAGE.html...
//
// CHROMIUM names another browser than /usr/bin/chromium.
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const args = process.argv.slice(2);
let shots = null;
const pages = [];
while (args.length > 0) {
  const arg = args.shift();
  if (arg === "--shots") shots = args.shift() ?? null;
  else pages.push(resolve(arg));
}
if (pages.length === 0) {
  console.error("usage: node tests/page.mjs [--shots FOLDER] PAGE.html...");
  process.exit(2);
}
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(executablePath)) {
  console.error(`${executablePath} is missing: apt-get install chromium, or name another browser in CHROMIUM`);
  process.exit(3);
}
if (shots) mkdirSync(shots, { recursive: true });

const SIZE_MAX = 6_000_000; // bytes: what a page of 16 weeks of minutes must stay below
const failures = [];
let checks = 0;
function check(holds, what) {
  checks++;
  if (!holds) failures.push(what);
}

const profile = mkdtempSync(join(tmpdir(), "headroom-page-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
  viewport: { width: 1280, height: 900 },
  timeout: 60_000,
});

// How many different colours stand in the canvas: an undrawn one has one.
const coloursOf = (canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4) colours.add((data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3]);
  return colours.size;
};
const sidewaysScroll = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

async function examine(file) {
  const name = basename(file);
  check(statSync(file).size < SIZE_MAX, `${name}: larger than ${SIZE_MAX} bytes`);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const problems = [];
  const requests = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    if (request.url() !== pathToFileURL(file).href && !request.url().startsWith("data:")) requests.push(request.url());
  });
  const shot = async (suffix, options = {}) => {
    if (shots) await page.screenshot({ path: join(shots, `${name.replace(/\.html$/, "")}-${suffix}.png`), ...options });
  };

  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector(".strip canvas");
  check((await page.evaluate(() => globalThis.escaped)) === undefined, `${name}: text of the input ran as a script`);
  const isLoad = name.startsWith("load");
  check((isLoad ? /[Tt]hreshold/ : /Objective|objective/).test(await page.innerText(".verdict")), `${name}: no verdict`);
  const canvases = await page.$$(".strip canvas");
  check(canvases.length >= 5, `${name}: ${canvases.length} charts, expected at least 5`);
  for (const [k, canvas] of canvases.entries()) {
    check((await canvas.evaluate(coloursOf)) > 4, `${name}: chart ${k + 1} is empty`);
  }
  await shot("1280", { fullPage: true });

  // The cursor is shared: pointing at one chart makes the others read out, and says what was decided and why.
  const first = page.locator(".strip .u-over").first();
  await first.scrollIntoViewIfNeeded();
  const box = await first.boundingBox();
  await page.mouse.move(box.x + box.width * 0.62, box.y + box.height / 2);
  const values = await page.$$eval(".strip-values", (all) => all.map((one) => one.textContent).filter((text) => text !== ""));
  check(values.length >= 4, `${name}: only ${values.length} charts read out under the cursor`);
  const why = await page.innerText(isLoad ? ".readout-time" : ".readout-why");
  check(isLoad ? /from the start/.test(why) : /threshold|band|missing|bounded|held|schedule|due|disabled|periods|No decision yet/.test(why), `${name}: the readout gives no reason: "${why}"`);
  await shot("cursor");

  // Zooming one chart zooms all.
  const spanBefore = await page.innerText(".readout-time");
  await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  await page.locator(".stack-charts").focus();
  await page.keyboard.press("Escape");
  check((await page.innerText(".readout-time")) !== spanBefore, `${name}: dragging does not zoom`);
  await shot("zoomed", { fullPage: true });
  await page.keyboard.press("0");

  // A marker of a decision says its reason when pointed at; the keyboard reaches it first.
  const acts = await page.evaluate(() => [...document.querySelectorAll(".toolbar-group span")].some((one) => one.textContent === "decision"));
  if (acts) {
    await page.locator(".stack-charts").focus();
    await page.keyboard.press("d");
    check(/added|removed/.test(await page.innerText(".readout-why")), `${name}: the key for the next decision does not reach one`);
    const left = await page.evaluate(() => {
      const cursor = document.querySelector(".decision-strip .u-cursor-x");
      return new DOMMatrix(getComputedStyle(cursor).transform).m41;
    });
    const over = page.locator(".decision-strip .u-over");
    await over.scrollIntoViewIfNeeded();
    const strip = await over.boundingBox();
    await page.mouse.move(strip.x + left + 1, strip.y + strip.height / 2);
    const tooltip = page.locator(".decision-strip .tooltip");
    check(await tooltip.isVisible(), `${name}: pointing at a decision shows nothing`);
    if (await tooltip.isVisible()) {
      check(/threshold|target|schedule|bounded|band/.test(await tooltip.innerText()), `${name}: a decision gives no reason`);
    }
    await shot("decision");
    await page.mouse.move(2, 2);
    await page.locator(".stack-charts").focus();
    await page.keyboard.press("0");
    await page.keyboard.press("Escape");
  }

  if ((await page.locator(".scatter").count()) > 0) {
    const scatter = page.locator(".scatter");
    await scatter.focus();
    await page.keyboard.press("ArrowRight");
    check(await page.locator(".scatter .tooltip").isVisible(), `${name}: the front cannot be read by keyboard`);
    await scatter.scrollIntoViewIfNeeded();
    const star = await page.locator(".scatter path[fill='var(--winner)']").boundingBox();
    await page.mouse.move(star.x + star.width / 2, star.y + star.height / 2);
    check(/winner|nearest miss/.test(await page.innerText(".scatter .tooltip")), `${name}: the winner cannot be pointed at`);
    await shot("front");
    await page.mouse.move(2, 2);
  }

  // A rival that beats the winner on unseen traffic stands in the headline.
  if (name === "tuned.html") {
    check(/a rival is cheaper and safer: target, tuned/.test(await page.innerText(".verdict")), `${name}: the headline hides a better rival`);
  }

  if (name === "earning.html") {
    const main = await page.innerText("main");
    for (const words of ["Profit a month, tuned", "Cost against downtime", "Down, of minutes"]) {
      check(main.toLowerCase().includes(words.toLowerCase()), `${name}: nothing says "${words}"`);
    }
    check(!/violated|NaN/.test(main), `${name}: speaks of an objective that there is not`);
  }

  if (isLoad) {
    const main = await page.innerText("main");
    for (const words of ["Latency from schedule", "Latency from sending", "Thresholds", "Stages", "The generator itself"]) {
      check(main.includes(words), `${name}: nothing says "${words}"`);
    }
    check(!/NaN|undefined/.test(main), `${name}: speaks of no numbers`);
    check(name !== "load.html" || /it, not the service, may have been the limit/.test(main), `${name}: no warning`);
  }

  // Zones, faults and events, where the rehearsal has them.
  if (name === "zones.html") {
    const titles = await page.$$eval(".strip-title", (all) => all.map((one) => one.textContent));
    check(titles.includes("By zone"), `${name}: no chart by zone`);
    const legend = await page.$$eval(".legend li", (all) => all.map((one) => one.textContent));
    for (const entry of ["failed", "in the warm pool", "fault", "event", "a", "b"]) {
      check(legend.includes(entry), `${name}: the legend lacks "${entry}"`);
    }
    await page.locator(".stack-charts").focus();
    await page.keyboard.press("0");
    await page.keyboard.press("e");
    const said = await page.innerText(".readout");
    check(/instance failed: i-2/.test(said), `${name}: the key for the next event does not reach one: "${said}"`);
    check(/fault: lost b/.test(said), `${name}: the readout does not name the fault: "${said}"`);
    const left = await page.evaluate(() => new DOMMatrix(getComputedStyle(document.querySelector(".decision-strip .u-cursor-x")).transform).m41);
    const over = page.locator(".decision-strip .u-over");
    await over.scrollIntoViewIfNeeded();
    const strip = await over.boundingBox();
    await page.mouse.move(strip.x + left + 1, strip.y + 5);
    const tooltip = page.locator(".decision-strip .tooltip");
    check((await tooltip.isVisible()) && /instance failed: i-2[\s\S]*failed 3 checks/.test(await tooltip.innerText()), `${name}: pointing at an event says nothing of it`);
    await shot("event");
    await page.mouse.move(2, 2);
    const text = await page.innerText("main");
    check(/Faults and events/.test(text) && /What each instance cost/.test(text), `${name}: no tables of events and instances`);
    await page.locator(".stack-charts").focus();
    await page.keyboard.press("0");
    await page.keyboard.press("Escape");
  }

  for (const width of [400, 1200, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForFunction((wanted) => {
      const canvas = document.querySelector(".strip canvas");
      const host = canvas?.closest(".stack-charts");
      return window.innerWidth === wanted && canvas && host && Math.abs(canvas.clientWidth - host.clientWidth) < 40;
    }, width);
    const excess = await page.evaluate(sidewaysScroll);
    check(excess <= 0, `${name}: at ${width} px the page scrolls ${excess} px sideways`);
    const cut = await page.$$eval(".plot", (all) => all.filter((one) => one.scrollWidth > one.clientWidth).length);
    check(cut === 0, `${name}: at ${width} px ${cut} charts are wider than their frame`);
    if (width >= 1200) {
      const wide = await page.$$eval(".table-frame", (all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.getAttribute("aria-label")));
      check(wide.length === 0, `${name}: at ${width} px these tables need a scroll bar: ${wide.join(", ")}`);
    }
    await page.evaluate(() => window.scrollTo(0, 0));
    await shot(String(width), { fullPage: true });
  }

  await page.setViewportSize({ width: 1280, height: 900 });
  const lightBackground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "dark" });
  const darkBackground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  check(lightBackground !== darkBackground, `${name}: no dark theme`);
  await page.waitForTimeout(150); // the charts redraw on the change; the picture is for people only
  await shot("dark", { fullPage: true });
  if (shots) await page.pdf({ path: join(shots, `${name.replace(/\.html$/, "")}.pdf`), format: "A4" });

  check(problems.length === 0, `${name}: the console says ${JSON.stringify(problems)}`);
  check(requests.length === 0, `${name}: requests ${JSON.stringify(requests)}`);
  await page.close();
}

try {
  for (const file of pages) {
    const from = performance.now();
    await examine(file).catch((error) => failures.push(`${basename(file)}: ${error.message}`));
    console.log(`${basename(file)}: ${Math.round(performance.now() - from)} ms`);
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(`${checks} checks of ${pages.length} pages, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
