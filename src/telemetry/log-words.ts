import { type Paint, painter } from "../support/paint.ts";
import { DENIAL_FIELDS, NOTE_FIELDS, USUAL_FIELDS } from "./access-fields.ts";
import type { LogSink } from "./log-sink.ts";

/** What could act on the terminal that shows it, or end a line before its time. */
const ACTS = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Told above, or of no use on a screen; what is left are fields that the policy adds. */
const KNOWN: ReadonlySet<string> = new Set([
  "level",
  "time",
  "event",
  "slow",
  "sampleRatio",
  ...[USUAL_FIELDS, DENIAL_FIELDS, NOTE_FIELDS].flatMap((table) => Object.keys(table)),
]);

type Fields = Readonly<Record<string, unknown>>;

/** Told in the line's own words, or of no use on a screen; the JSON has them. */
const UNSPOKEN = new Set(["level", "time", "event", "msg", "policyHash", "policyFile", "result"]);

/** A sink for people: takes the log's JSON lines and gives the same in words to `inner`. */
export function createWordSink(inner: LogSink, colour: boolean): LogSink {
  return {
    write: (line) => inner.write(logWords(line, colour)),
    writeBytes: (line) => inner.write(logWords(line.toString(), colour)),
    flush: () => inner.flush(),
    flushSync: () => inner.flushSync(),
    close: () => inner.close(),
    onRecovered: (tell) => inner.onRecovered(tell),
    isForPeople: true,
    get linesDropped() {
      return inner.linesDropped;
    },
  };
}

/** One JSON line of the log → a line to read, and one more for each of its problems. `colour`: with escapes of a terminal. */
export function logWords(line: string, colour: boolean): string {
  const paint = painter(colour);
  const fields: Fields = JSON.parse(line);
  const time = paint("dim", textOf(fields["time"]).slice("2026-12-01T".length, -"Z".length));
  const words = fields["event"] === "request" ? requestWords(fields, paint) : eventWords(fields, paint);
  return `${time} ${words}\n`;
}

/** `403 GET /v1/orders/42  alice  scope_missing at policy.yaml:14:91: scopes orders:write; wanted scopes orders:read  0.8 ms`. */
function requestWords(fields: Fields, paint: Paint): string {
  const told = (name: string): string => textOf(fields[name]);
  const parts = [
    `${statusText(fields["status"], paint)} ${told("method") || "-"} ${told("path") || "-"}`,
    told("principal"),
    ...(fields["reason"] === undefined ? [] : [denialWords(fields, paint)]),
    ...listOf(fields["audited"]).map((one) => `audit: ${denialWords(one, paint)}`),
    ...Object.entries(fields).flatMap(([name, value]) => (KNOWN.has(name) ? [] : [`${name} ${textOf(value)}`])),
    paint("dim", `${told("durationMs")} ms  ${told("id")}`),
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function denialWords(fields: Fields, paint: Paint): string {
  const place = fields["policy"] === undefined ? "" : ` at ${textOf(fields["policy"])}`;
  const seen = fields["seen"] === undefined ? "" : `: ${textOf(fields["seen"])}; wanted ${textOf(fields["wanted"])}`;
  return `${paint("yellow", textOf(fields["reason"]))}${place}${seen}`;
}

function statusText(status: unknown, paint: Paint): string {
  const code = Number(status);
  if (code >= 500) return paint("red", String(code));
  return paint(code >= 400 ? "yellow" : "green", String(code));
}

/** `warning: text`, then what else the line has, then lists line by line. */
function eventWords(fields: Fields, paint: Paint): string {
  const level = fields["level"];
  const mark = level === "warn" ? paint("yellow", "warning: ") : level === "error" ? paint("red", "error: ") : "";
  const further = Object.entries(fields).filter(([name, value]) => !UNSPOKEN.has(name) && value !== null);
  const values = further.flatMap(([name, value]) => (rowsOf(value) === null ? [`${name} ${textOf(value)}`] : []));
  const rows = further.flatMap(([, value]) => rowsOf(value) ?? []);
  const name = textOf(fields["event"]);
  const text = textOf(fields["msg"]);
  const head = text === name || name === "warning" ? text : `${name}: ${text}`;
  const tail = values.length === 0 ? "" : paint("dim", `  ${values.join(", ")}`);
  return [`${mark}${head}${tail}`, ...rows.map((row) => `    ${plain(row)}`)].join("\n");
}

/** Problems, or the lines of a stack; null for what fits into the line. */
function rowsOf(value: unknown): readonly string[] | null {
  if (typeof value === "string") return value.includes("\n") ? value.split("\n") : null;
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : null;
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "object" ? Object.values(value).map(textOf).join(" ") : plain(String(value));
}

function plain(text: string): string {
  return text.replace(ACTS, "\ufffd");
}
