import type { Dom, PageNode, RowActs, Views } from "./dom.ts";

/** Shows whatever a room says, without knowing it. */
export function viewPart({ make }: Dom): Views {
  const ROWS = 200;
  type Row = Readonly<Record<string, unknown>>;

  const isRow = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);
  const isPlain = (value: unknown): boolean => typeof value !== "object" || value === null;
  const isShort = (value: unknown): boolean => isPlain(value) || (Array.isArray(value) && value.every(isPlain));
  const text = (value: unknown): string => {
    if (value === null || value === undefined) return "-";
    return Array.isArray(value) ? value.map(text).join(", ") : String(value);
  };
  /** Names say that it is a moment, which nobody reads as a number. */
  const textOf = (name: string, value: unknown): string =>
    typeof value === "number" && /(?:At|Until)Ms$/.test(name) ? new Date(value).toISOString() : text(value);
  const plainOf = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([, value]) => isPlain(value)));

  const pairs = (row: Row, outer: Row, acts: RowActs): PageNode => {
    const inner = { ...outer, ...plainOf(row) };
    const short = Object.entries(row).filter(([, value]) => isShort(value));
    const long = Object.entries(row).filter(([, value]) => !isShort(value));
    return make(
      "div",
      {},
      ...(short.length === 0
        ? []
        : [
            make(
              "dl",
              {},
              ...short.map(([name, value]) =>
                make("div", {}, make("dt", {}, name), make("dd", {}, textOf(name, value))),
              ),
            ),
          ]),
      ...long.map(([name, value]) => show(value, name, inner, acts)),
    );
  };

  /** Rows whose values are all short, as lines of one table. */
  const table = (rows: readonly Row[], label: string, outer: Row, acts: RowActs): PageNode => {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const body = rows.map((row) =>
      make(
        "tr",
        {},
        ...names.map((name) => make("td", {}, textOf(name, row[name]))),
        make("td", {}, ...acts({ ...outer, ...plainOf(row) })),
      ),
    );
    const head = names.map((name) => make("th", { scope: "col" }, name));
    const parts = [
      make("caption", {}, label),
      make("thead", {}, make("tr", {}, ...head, make("td", {}))),
      make("tbody", {}, ...body),
    ];
    return make("div", { class: "wide", tabindex: 0, role: "group", "aria-label": label }, make("table", {}, ...parts));
  };

  const show = (value: unknown, label: string, outer: Row, acts: RowActs): PageNode => {
    if (isRow(value)) return make("div", { class: "part" }, make("h3", {}, label), pairs(value, outer, acts));
    if (!Array.isArray(value)) return make("p", {}, `${label}: ${text(value)}`);
    if (value.length === 0) return make("p", {}, `${label}: none`);
    const told = value.slice(0, ROWS);
    const more = value.length > told.length ? [make("p", {}, `and ${value.length - told.length} more`)] : [];
    const rows = told.filter(isRow);
    if (rows.length < told.length) return make("p", {}, `${label}: ${text(told)}`);
    const isTable = rows.every((row) => Object.values(row).every(isShort));
    const parts = isTable ? [table(rows, label, outer, acts)] : rows.map((row) => entry(row, outer, acts));
    return make("div", { class: "part" }, ...(isTable ? [] : [make("h3", {}, label)]), ...parts, ...more);
  };

  const entry = (row: Row, outer: Row, acts: RowActs): PageNode => {
    const buttons = acts({ ...outer, ...plainOf(row) });
    return make("div", { class: "entry" }, pairs(row, outer, acts), ...buttons);
  };

  return { view: (value, label, acts) => (isRow(value) ? pairs(value, {}, acts) : show(value, label, {}, acts)) };
}
