import { listOf, memberOf, memberText } from "./admin-list.ts";
import { textTable } from "./text-table.ts";

const ROWS_MAX = 15;

/** Where a picture is shown; null for no bound, and 0 of a terminal that does not know its size, as in a container. */
export interface Screen {
  readonly columns: number | null;
  readonly rows: number | null;
}

const LISTS = ["operations", "callers", "rules"] as const;
/** Of a picture, beside what its tables list: its first line, their heads, the lines between them, and that of the cursor. */
const OTHER_ROWS = 1 + 2 * LISTS.length + 1;

/** A picture for people: by rate since the one before, or by sums where there is none. It is cut to the screen. */
export function topText(now: unknown, before: unknown, { columns, rows: height }: Screen): string {
  const counts = LISTS.map((list) => Math.min(listOf(now, list).length, ROWS_MAX));
  const shares =
    height === null || height === 0 ? counts : sharesOf(counts, Math.max(LISTS.length, height - OTHER_ROWS));
  const seconds = (timeOf(now) - timeOf(before)) / 1000;
  const rate = (sum: number, sumBefore: number): number =>
    Math.max(0, Math.round(((sum - sumBefore) / seconds) * 10) / 10);
  const table = (list: (typeof LISTS)[number], keys: readonly string[], heads: readonly string[]): string => {
    const known = new Map(listOf(before, list).map((row) => [keyOf(row, keys), requestsOf(row)]));
    const rows = listOf(now, list).map((row) => {
      const sum = requestsOf(row);
      const key = keyOf(row, keys);
      return { row, sum, key, perSecond: before === null ? 0 : rate(sum, known.get(key) ?? 0) };
    });
    const shown = rows
      .toSorted((a, b) => b.perSecond - a.perSecond || b.sum - a.sum || (a.key < b.key ? -1 : 1))
      .slice(0, shares[LISTS.indexOf(list)]);
    const cells = shown.map(({ row, sum, perSecond }) => [
      ...(before === null ? [] : [perSecond]),
      sum,
      ...heads.map((head) => cellOf(row, head)),
    ]);
    const all = [...(before === null ? [] : ["req/s"]), "requests", ...heads];
    return rows.length === 0 ? "nothing yet\n" : textTable(all, cells);
  };
  const total = requestsOf(now);
  const perSecond = before === null ? "" : `, ${rate(total, requestsOf(before))} req/s`;
  const text = `${memberText(now, "at").slice(0, 19)}  ${total} requests${perSecond}

${table("operations", ["method", "path"], ["confirmed", "denied", "method", "path"])}
${table("callers", ["caller"], ["denied", "caller"])}
${table("rules", ["route", "verdict", "reason", "place"], ["verdict", "route", "reason", "place"])}`;
  return columns === null || columns === 0 ? text : text.replaceAll(/^.*$/gm, (line) => line.slice(0, columns));
}

/** What each gets of `rows`: an equal part, and of what others leave. */
function sharesOf(counts: readonly number[], rows: number): readonly number[] {
  let left = rows;
  const shares = counts.map(() => 0);
  const inTurn = counts.map((count, at) => ({ count, at })).toSorted((a, b) => a.count - b.count);
  for (const [turn, { count, at }] of inTurn.entries()) {
    const share = Math.min(count, Math.floor(left / (counts.length - turn)));
    shares[at] = share;
    left -= share;
  }
  return shares;
}

function timeOf(picture: unknown): number {
  return Date.parse(String(memberOf(picture, "at")));
}

function requestsOf(row: unknown): number {
  return Number(memberOf(row, "requests") ?? 0);
}

function keyOf(row: unknown, names: readonly string[]): string {
  return names.map((name) => memberText(row, name)).join(" ");
}

function cellOf(row: unknown, name: string): string | number {
  const value = memberOf(row, name);
  if (typeof value === "number") return value;
  return value === null ? "-" : memberText(row, name);
}
