// The report page: reads its input from the document and builds itself.

import "uplot/dist/uPlot.min.css";
import "../charts/charts.css";
import "./page.css";
import { h } from "./elements";
import { loadPage } from "./load";
import type { LoadModel } from "./load_model";
import type { PageModel } from "./model";
import { rehearsalPage } from "./rehearsal";
import { tunePage } from "./tune";

function build(host: HTMLElement): void {
  const model = JSON.parse(document.getElementById("report-data")?.textContent ?? "null") as PageModel | LoadModel;
  const page = model.kind === "load" ? loadPage(model) : model.outcome ? tunePage(model, model.outcome) : rehearsalPage(model);
  host.replaceChildren(page.element);
  page.start();
  host.append(h("footer", {}, `Written by headroom. This page holds all it shows and asks nothing of any network. Times are UTC${model.kind === "load" ? "" : "; costs are US dollars"}.`));
}

const host = document.getElementById("report");
if (host) {
  try {
    build(host);
  } catch (error) {
    host.replaceChildren(h("p", { class: "warning" }, `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}`));
    throw error;
  }
}
