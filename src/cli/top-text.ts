import { listOf, memberOf, memberText } from "./admin-list.ts";
import { textTable } from "./text-table.ts";

const ROWS_MAX = 15;

/**
 * A picture for people: by rate since the one before, or by sums where there is none. Lines are cut to `columns`; null for as long
 * as they are.
 */
export function topText(now: unknown, before: unknown, columns: number | null): string {
  const seconds = (timeOf(now) - timeOf(before)) / 1000;
  const rate = (sum: number, sumBefore: number): number =>
    Math.max(0, Math.round(((sum - sumBefore) / seconds) * 10) / 10);
  const table = (list: string, keys: readonly string[], heads: readonly string[]): string => {
    const known = new Map(listOf(before, list).map((row) => [keyOf(row, keys), requestsOf(row)]));
    const rows = listOf(now, list).map((row) => {
      const sum = requestsOf(row);
      const key = keyOf(row, keys);
      return { row, sum, key, perSecond: before === null ? 0 : rate(sum, known.get(key) ?? 0) };
    });
    const shown = rows
      .toSorted((a, b) => b.perSecond - a.perSecond || b.sum - a.sum || (a.key < b.key ? -1 : 1))
      .slice(0, ROWS_MAX);
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
  return columns === null ? text : text.replaceAll(/^.*$/gm, (line) => line.slice(0, columns));
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
