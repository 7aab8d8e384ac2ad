import { DEFAULTS } from "../support/defaults.ts";
import { type CurrentPolicy, type CurrentRoute, mapping } from "./current-routes.ts";
import type { KeptSections } from "./kept-sections.ts";
import { isOpen, type Learnt, type LearntRoute } from "./learnt-route.ts";
import { firstRows, LEFT_OUT, type LeftOutRow, type LeftOutWord } from "./left-out.ts";
import type { LearntLimit, Lesson } from "./lesson.ts";
import { comment, commentText, flow, scalar } from "./safe-yaml.ts";
import type { Support } from "./support.ts";

/** The learnt policy, each rule with what is behind it, and what it leaves out at its end. The same lesson gives the same text. */
export function policyText(lesson: Lesson, policy: CurrentPolicy, kept: KeptSections): string {
  const stays = policy.routes.filter(({ kind }) => kind === "answered");
  const open = lesson.routes.filter(isOpen);
  return [
    headText(lesson, open.length),
    kept.text,
    limitsText(lesson, kept),
    "routes:\n",
    ...stays.map((route) => stayingText(route, "answered by postern itself, as it was")),
    ...lesson.whole.map((route) => stayingText(route, WHOLE)),
    ...lesson.routes.map((route) => routeText(route, lesson.limits)),
    leftOutText(lesson.leftOut),
  ].join("");
}

function headText({ requests, learnt, declared, firstMs, lastMs, thresholds, routes }: Lesson, open: number): string {
  const { requests: least, callers } = thresholds;
  const lines = [
    `Learnt by 'postern learn' of ${count(learnt, "request")} of ${many(requests)}, ${span(firstMs, lastMs)}.`,
    `Each rule has at least ${count(least, "request")} of ${count(callers, "caller")} behind it; what is left out stands at the end.`,
    ...(declared === 0
      ? []
      : [`${count(declared, "request")} were of operations that documents declare, which stay as they are.`]),
    ...(open === 0
      ? []
      : [
          `${many(open)} of ${count(routes.length, "route")} are open to whoever asks: 'public: true'. Look at each of them.`,
        ]),
  ];
  return lines.map((line) => comment(line)).join("");
}

function limitsText({ limits, isSample }: Lesson, { limits: own }: KeptSections): string {
  const known = Object.entries(own).map(([name, value]) => `  ${scalar(name)}: ${flow(value)}\n`);
  const sample = isSample ? comment("No limits were learnt: the record holds a sample of the requests.") : "";
  if (known.length + limits.length === 0) return sample;
  return `${sample}limits:\n${known.join("")}${limits.map(limitText).join("")}`;
}

function limitText({ name, key, rate }: LearntLimit): string {
  const { perMinute, peak, clients, windows } = rate;
  const what = key === "principal" ? "caller" : "address";
  const said = `${count(windows, "minute")} in which one of ${count(clients, what, what === "address" ? "es" : "s")} asked; the busiest that counts had ${count(peak, "request")}`;
  return `${comment(said, "  ")}  ${name}: { rate: ${perMinute}/minute, burst: ${perMinute}, key: ${key} }\n`;
}

const WHOLE = "as it was: a learnt route with a parameter would take its paths if it were gone";

/** A route of the current policy. */
function stayingText({ settings }: CurrentRoute, why: string): string {
  return `${comment(why, "  ")}${entryLines(Object.entries(settings).map(([key, value]) => `${scalar(key)}: ${flow(value)}\n`))}`;
}

function entryLines(lines: readonly string[]): string {
  return lines.map((line, at) => `${at === 0 ? "  - " : "    "}${line}`).join("");
}

/** Words of a route that are written anew. */
const OWN = new Set(["path", "methods", "authenticate", "authorize", "limit", "validate"]);

function routeText(route: LearntRoute, limits: readonly LearntLimit[]): string {
  const { settings } = route.route;
  const authenticate = route.authenticate ?? settings["authenticate"];
  const authorize = route.authorize ?? settings["authorize"];
  const lines = [
    `path: ${scalar(route.path)}\n`,
    `methods: [${route.method}]\n`,
    ...(authenticate === undefined ? [] : [`authenticate: ${flow(authenticate)}\n`]),
    ...(authorize === undefined
      ? []
      : [`authorize: ${flow(authorize)}${route.authorize === null ? "\n" : said("as all of its callers had it")}`]),
    ...Object.entries(settings)
      .filter(([key]) => !OWN.has(key))
      .map(([key, value]) => `${scalar(key)}: ${flow(value)}\n`),
    ...limitLines(route, limits),
    ...validateLines(route),
  ];
  return `${evidenceText(route)}${entryLines(lines)}`;
}

function evidenceText({ known, evidence: { support, firstMs, lastMs } }: LearntRoute): string {
  const seen = support.requests === 0 ? "not in the record" : `${behind(support)}, ${span(firstMs, lastMs)}`;
  if (known === null) return comment(seen, "  ");
  const told = `${count(known.requests, "request")} of ${count(known.callers, "caller")}, ${span(known.firstMs, known.lastMs)}`;
  return comment(`${seen}; by the inventory ${told}: nothing is known of parameters and bodies`, "  ");
}

function limitLines(route: LearntRoute, limits: readonly LearntLimit[]): readonly string[] {
  const { settings } = route.route;
  const own: readonly unknown[] = Array.isArray(settings["limit"]) ? settings["limit"] : [];
  const key = isOpen(route) ? "client.address" : "principal";
  const learnt = limits.find((limit) => limit.key === key);
  if (settings["limit"] !== undefined && own.length === 0) return [`limit: ${flow(settings["limit"])}\n`];
  const names = [...own, ...(learnt === undefined ? [] : [learnt.name])];
  return names.length === 0 ? [] : [`limit: ${flow(names)}\n`];
}

function validateLines({
  route: { settings },
  parameters,
  query,
  contentType,
  bodyBytesMax,
}: LearntRoute): readonly string[] {
  const own = mapping(settings["validate"]);
  const lines = Object.entries(own)
    .filter(([key]) => key !== "path")
    .map(([key, value]) => `  ${scalar(key)}: ${flow(value)}\n`);
  const paths = Object.entries(mapping(own["path"])).map(([name, value]) => `    ${scalar(name)}: ${flow(value)}\n`);
  paths.push(...parameterLines(parameters));
  if (paths.length > 0) lines.push("  path:\n", ...paths);
  if (query !== null) {
    lines.push(`  unknownQuery: refuse${said(query.size === 0 ? "no parameter was sent" : "no others were sent")}`);
    if (query.size > 0) lines.push("  query:\n", ...parameterLines(query));
  }
  if (contentType !== null) lines.push(`  contentType: ${flow(contentType.value)}${said(behind(contentType.support))}`);
  if (bodyBytesMax !== null) {
    const { value, support, note } = bodyBytesMax;
    const text = note === "" ? `${behind(support)}; none needed more than half` : note;
    lines.push(`  body: { maxBytes: ${bytesText(value)} }${said(text)}`);
  }
  return lines.length === 0 ? [] : ["validate:\n", ...lines];
}

function parameterLines(parameters: ReadonlyMap<string, Learnt<unknown>>): readonly string[] {
  return Array.from(parameters, ([name, { value, support, note }]) => {
    return `    ${scalar(name)}: ${flow(value)}${said(`${behind(support)}${note === "" ? "" : `: ${note}`}`)}`;
  });
}

/** A comment at the end of a line. */
function said(text: string): string {
  return ` # ${commentText(text)}\n`;
}

function leftOutText(rows: readonly LeftOutRow[]): string {
  if (rows.length === 0) return comment("Nothing was left out.");
  const told = firstRows(rows, DEFAULTS.learnLeftOutToldMax);
  const lines: string[] = [comment("Left out:")];
  let last: LeftOutWord | null = null;
  for (const { why, what, support } of told) {
    if (why !== last) lines.push(comment(`  ${why}: ${LEFT_OUT[why]}`));
    last = why;
    lines.push(comment(`    ${behind(support)}: ${what}`));
  }
  if (rows.length > told.length)
    lines.push(comment(`    and ${many(rows.length - told.length)} more; --json lists them`));
  return lines.join("");
}

function behind(support: Support): string {
  const { requests, callersText } = support;
  return `${count(requests, "request")} of ${callersText} ${callersText === "1" ? "caller" : "callers"}`;
}

function many(number: number): string {
  return number.toLocaleString("en");
}

function count(number: number, what: string, plural = "s"): string {
  return `${many(number)} ${what}${number === 1 ? "" : plural}`;
}

function span(firstMs: number, lastMs: number): string {
  if (firstMs > lastMs) return "at no time";
  const [first, last] = [dayOf(firstMs), dayOf(lastMs)];
  return first === last ? first : `${first} … ${last}`;
}

/** A record may say of a time whatever it likes. */
export function dayOf(ms: number): string {
  return Math.abs(ms) > TIME_MS_MAX ? "never" : new Date(ms).toISOString().slice(0, 10);
}

/** The largest that a Date holds. */
const TIME_MS_MAX = 8.64e15;

function bytesText(bytes: number): string {
  return bytes >= 1024 ** 2 ? `${bytes / 1024 ** 2}MiB` : `${bytes / 1024}KiB`;
}
