// Making elements: text always goes in as text, so that no name can become markup.

export type Child = Node | string | null | undefined | false;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

export function section(title: string, note: string | null, ...children: Child[]): HTMLElement {
  return h("section", {}, h("h2", {}, title), note ? h("p", { class: "section-note" }, note) : null, ...children);
}

// A sign that does not depend on colour.
export function verdictSign(kept: boolean): HTMLElement {
  return h("span", { class: `sign ${kept ? "sign-kept" : "sign-missed"}`, "aria-hidden": "true" }, kept ? "✓" : "✕");
}

export interface Tile {
  label: string;
  value: string;
  note?: string | undefined;
}

export function tiles(list: Tile[]): HTMLElement {
  return h(
    "dl",
    { class: "tiles" },
    ...list.map((tile) =>
      h("div", { class: "tile" }, h("dt", {}, tile.label), h("dd", {}, tile.value, tile.note ? h("small", {}, tile.note) : null)),
    ),
  );
}

export interface Column {
  title: string;
  numeric?: boolean;
}

export function table(columns: Column[], rows: { cells: Child[]; strong?: boolean }[], caption: string): HTMLElement {
  const head = h("tr", {}, ...columns.map((column) => h("th", column.numeric ? { class: "numeric", scope: "col" } : { scope: "col" }, column.title)));
  const body = rows.map((row) =>
    h(
      "tr",
      row.strong ? { class: "strong" } : {},
      ...row.cells.map((cell, k) => {
        const column = columns[k]!;
        const attributes: Record<string, string> = { "data-title": column.title };
        if (column.numeric) attributes.class = "numeric";
        return k === 0 ? h("th", { ...attributes, scope: "row" }, cell) : h("td", attributes, cell);
      }),
    ),
  );
  return h(
    "div",
    // A long table scrolls within its frame, so that what follows stays within reach.
    { class: rows.length > 14 ? "table-frame tall" : "table-frame", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, head), h("tbody", {}, ...body)),
  );
}
