import { collectionNumber } from "../detection/rules/collections.ts";
import { type Closing, closingOf } from "../detection/rules/mend.ts";
import type { Detector } from "../filters/filter.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { atOnce } from "../support/turns.ts";
import { shownText } from "./admin-list.ts";

/** What rules found in one field of the requests of one route. */
export interface FieldAlarms {
  readonly route: string;
  readonly detector: string;
  /** Collection and name as rules have them; members of a list are one: `ARGS:json.items.*.note`. */
  readonly field: string;
  readonly rules: ReadonlyMap<number, { readonly message: string; readonly requests: number }>;
  readonly requests: number;
  /** Of requests that were refused, or would have been. */
  readonly refused: number;
  /** Callers where they are known, or addresses; counted up to a bound. */
  readonly clients: number;
}

/** Without `fields` for what is no field of a request, as a count that rules keep: the rule as a whole. */
export interface ProposedExclusion {
  readonly rules: readonly number[];
  readonly fields?: readonly string[];
  readonly because: string;
}

/** What would end the alarms of a field; null what would not. */
export interface Mend {
  /** For its schema: texts without the signs that the rules need. */
  readonly pattern: string | null;
  /** An entry of `exclude`. */
  readonly exclude: ProposedExclusion;
}

interface Tally {
  readonly route: string;
  readonly detector: string;
  readonly field: string;
  readonly rules: Map<number, { message: string; requests: number }>;
  readonly clients: Set<string>;
  requests: number;
  refused: number;
}

/** Adds up `detected` of lines of the log, by route and field. */
export class AlarmReport {
  readonly #fields = new Map<string, Tally>();
  lines = 0;
  /** Fields beyond the most that are kept. */
  more = 0;

  /** A line of the log, parsed; what tells of no request with hits adds nothing. */
  add(line: unknown): void {
    if (!isRecord(line) || !isRecord(line["detected"]) || !Array.isArray(line["detected"]["hits"])) return;
    this.lines++;
    const route = textOf(line["route"]);
    const who = textOf(line["principal"]) || textOf(line["client"]);
    const isRefused = [line, ...listOf(line["audited"])].some(
      (one) => isRecord(one) && one["reason"] === "attack_detected",
    );
    const seen = new Set<Tally>();
    for (const hit of line["detected"]["hits"]) {
      if (!isRecord(hit) || hit["in"] !== "request" || !(Number(hit["score"]) > 0)) continue;
      const tally = this.#tallyOf(route, textOf(hit["detector"]), generalField(textOf(hit["field"])));
      if (tally === null) continue;
      const id = Number(hit["rule"]);
      const rule = tally.rules.get(id) ?? { message: textOf(hit["message"]), requests: 0 };
      rule.requests++;
      tally.rules.set(id, rule);
      seen.add(tally);
    }
    for (const tally of seen) {
      tally.requests++;
      if (isRefused) tally.refused++;
      if (tally.clients.size < DEFAULTS.alarmClientsMax) tally.clients.add(who);
    }
  }

  /** Those with most requests first. */
  fields(): readonly FieldAlarms[] {
    const all = [...this.#fields.values()].map((tally) => ({ ...tally, clients: tally.clients.size }));
    return all.sort((a, b) => b.requests - a.requests || (a.field < b.field ? -1 : 1));
  }

  #tallyOf(route: string, detector: string, field: string): Tally | null {
    const key = JSON.stringify([route, detector, field]);
    const known = this.#fields.get(key);
    if (known !== undefined) return known;
    if (this.#fields.size >= DEFAULTS.alarmFieldsMax) {
      this.more++;
      return null;
    }
    const made = { route, detector, field, rules: new Map(), clients: new Set<string>(), requests: 0, refused: 0 };
    this.#fields.set(key, made);
    return made;
  }
}

/** What would end the alarms of one field, by the rules themselves. */
export function mendOf({ field, rules, requests, clients }: FieldAlarms, detector: Detector | undefined): Mend {
  const ids = [...rules.keys()].sort((a, b) => a - b);
  const isValue = /^ARGS:/.test(field);
  const closing = detector !== undefined && isValue ? atOnce(closingOf(detector.rules, ids)) : null;
  const because = `${counted(requests, "request")} of ${counted(clients, "client")}, none of them an attack`;
  const pattern = closing === null ? null : patternOf(closing);
  const isField = collectionNumber(field.split(":")[0] ?? "") >= 0;
  return { pattern, exclude: { rules: ids, ...(isField ? { fields: [selectorOf(field)] } : {}), because } };
}

/** As JSON Schema has it: with the flag u. */
function patternOf({ signs, isAscii }: Closing): string {
  return `^[^${signs.replace(/[\\\]^[-]/g, "\\$&")}${isAscii ? "\\u0080-\\u{10ffff}" : ""}]*$`;
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Members of a list have one rule. */
function generalField(field: string): string {
  return field.startsWith("ARGS:json.") ? field.replace(/\.\d+(?=\.|$)/g, ".*") : field;
}

/** As `exclude` takes it: a name that is no plain one, or that stands for several, is a pattern. */
function selectorOf(field: string): string {
  const at = field.indexOf(":") + 1;
  const name = field.slice(at);
  if (at === 0 || /^[\w.~@+-]*$/.test(name)) return field;
  const pattern = name
    .split(".*")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}]/g, "\\$&").replace(/[|,'"/\s]|[^\x20-\x7e]/g, "."))
    .join("\\.[0-9]+");
  return `${field.slice(0, at)}/^${pattern}$/`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? shownText(value) : "";
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
