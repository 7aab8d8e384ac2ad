import { answersCoverageOf, type Coverage, coverageOf } from "../openapi/coverage.ts";
import { placeText } from "../openapi/findings.ts";
import type { Amount } from "../policy/openapi/amounts.ts";
import type { OperationEntry } from "../policy/openapi/entries.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** How much of what a request may hold is bounded and enforced. */
export interface OperationCoverage {
  readonly operation: string;
  readonly id: string | null;
  readonly place: string;
  /** 0 to 100: parts that are bounded, of all parts, each kind of what is not enforced being one. */
  readonly percent: number;
  readonly callers: "everybody" | "known" | "scopes";
  readonly enforced: readonly string[];
  readonly notEnforced: readonly string[];
  readonly loose: readonly LoosePart[];
  readonly answers: AnswersCoverage;
}

interface LoosePart {
  readonly part: string;
  readonly what: string;
  readonly place: string;
}

/** The same of what is promised of answers, whether or not somebody holds the service to it. */
export interface AnswersCoverage {
  readonly percent: number;
  readonly statuses: readonly string[];
  readonly loose: readonly LoosePart[];
}

export interface CoverageReport {
  readonly file: string;
  readonly version: string;
  /** Of all operations together. */
  readonly percent: number;
  readonly operations: readonly OperationCoverage[];
}

export function coverageReport({ description, entries }: Amount): CoverageReport {
  let bounded = 0;
  let all = 0;
  const operations = entries.map((entry) => {
    const coverage = coverageOf(entry.operation, description);
    const answers = answersCoverageOf(entry.operation, description);
    const parts = partsOf(coverage, entry);
    bounded += coverage.bounded;
    all += parts;
    return ofOperation(entry, coverage, parts, answers);
  });
  return { file: description.file, version: description.version, percent: share(bounded, all), operations };
}

function partsOf({ bounded, weak }: Coverage, { loose }: OperationEntry): number {
  return bounded + weak.length + loose.length;
}

/** A request that may hold nothing is covered. */
function share(bounded: number, all: number): number {
  return all === 0 ? 100 : Math.floor((100 * bounded) / all);
}

function ofOperation(entry: OperationEntry, coverage: Coverage, parts: number, answers: Coverage): OperationCoverage {
  const { operation, written, loose } = entry;
  return {
    operation: `${operation.method} ${written}`,
    id: operation.id,
    place: placeText(operation.place),
    percent: share(coverage.bounded, parts),
    callers: callersOf(entry),
    enforced: enforcedIn(entry),
    notEnforced: loose,
    loose: looseIn(coverage),
    answers: {
      percent: share(answers.bounded, answers.bounded + answers.weak.length),
      statuses: operation.answers().map(({ status }) => status),
      loose: looseIn(answers),
    },
  };
}

function looseIn({ weak }: Coverage): readonly LoosePart[] {
  return weak.map(({ part, what, place }) => ({ part, what, place: placeText(place) }));
}

function callersOf({ entry: { value } }: OperationEntry): OperationCoverage["callers"] {
  if (value["public"] === true) return "everybody";
  return value["authorize"] === undefined ? "known" : "scopes";
}

/** Keys of `validate` that the route has, in words. */
function enforcedIn({ entry: { value } }: OperationEntry): readonly string[] {
  const validate = (value["validate"] ?? {}) as Readonly<Record<string, unknown>>;
  const words: string[] = [];
  for (const section of ["path", "query", "headers", "cookies"]) {
    const names = Object.keys(validate[section] ?? {});
    if (names.length > 0) words.push(`${section} ${names.join(", ")}`);
  }
  if (validate["queryString"] !== undefined) words.push("the query as a whole");
  const { content = {} } = (validate["body"] ?? {}) as { readonly content?: Readonly<Record<string, object>> };
  const types = Object.keys(content);
  if (types.length > 0) words.push(`media types ${types.join(", ")}`);
  if (Object.values(content).some((media) => "schema" in media)) words.push("the body's schema");
  return words;
}

const CALLERS: Readonly<Record<OperationCoverage["callers"], string>> = {
  everybody: "everybody may",
  known: "callers that are known",
  scopes: "callers with scopes or roles",
};

/** For people: the loosest operations are what there is to do, but the order is the document's. */
export function coverageLines(amount: Amount): string {
  const { file, version, percent, operations } = coverageReport(amount);
  const lines = [
    `${file}: OpenAPI ${version}, ${countText(operations)}, ${percent}% of what requests may hold is bounded and enforced`,
    ...oftenLines(operations),
  ];
  // The document's own name stands above; places in other files have theirs.
  const short = (place: string): string => (place.startsWith(`${file}:`) ? place.slice(file.length + 1) : place);
  for (const one of operations) {
    lines.push(
      "",
      `${String(one.percent).padStart(4)}%  ${one.operation}  (${one.id === null ? "" : `${one.id}, `}${short(one.place)})`,
    );
    lines.push(`       enforced: ${[CALLERS[one.callers], ...one.enforced].join("; ")}`);
    if (one.notEnforced.length > 0) lines.push(`       not enforced: ${one.notEnforced.join(", ")}`);
    const shown = one.loose.slice(0, DEFAULTS.openapiNamedMax);
    for (const { part, what, place } of shown) lines.push(`       loose: ${part}: ${what} (${short(place)})`);
    if (one.loose.length > shown.length)
      lines.push(`       loose: ${one.loose.length - shown.length} more; --json has them all`);
    const { answers } = one;
    if (answers.statuses.length > 0)
      lines.push(
        `       answers: ${answers.statuses.join(", ")}; ${answers.percent}% of what they may hold is bounded`,
      );
  }
  return `${lines.join("\n")}\n`;
}

/** An operation that several base paths have is one, and a route at each of them. */
function countText(operations: readonly OperationCoverage[]): string {
  const count = new Set(operations.map(({ place }) => place)).size;
  return count === operations.length ? `${count} operations` : `${count} operations at ${operations.length} paths`;
}

/** What is loose most often, each once: where to begin. */
function oftenLines(operations: readonly OperationCoverage[]): readonly string[] {
  const counts = new Map<string, number>();
  const all = new Map(operations.flatMap(({ loose }) => loose.map((one) => [`${one.part} ${one.place}`, one.what])));
  for (const what of all.values()) counts.set(what, (counts.get(what) ?? 0) + 1);
  if (counts.size === 0) return [];
  const words = [...counts].sort((a, b) => b[1] - a[1]).map(([what, count]) => `${what} (${count})`);
  const hint = counts.has("additionalProperties open") ? "; 'undeclaredProperties: refuse' closes objects" : "";
  return [`most often: ${words.slice(0, OFTEN_MAX).join(", ")}${hint}`];
}

const OFTEN_MAX = 4;
