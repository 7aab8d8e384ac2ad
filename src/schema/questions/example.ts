import type { Validator } from "../judge/validator.ts";
import { sampleOf } from "../pattern/index.ts";
import { type Alternatives, type Subschema, TYPE } from "../subschema.ts";
import { type Bound, factsOf, togetherWith, type ValueFacts } from "./facts.ts";
import { childrenOf } from "./places.ts";

const SAMPLES: readonly string[] = ["", "a", "A", "0", "abc", "ABC", "example", "Example", "ABC-1234", "12345", "AB-1"];

/** One text of each format. */
const BY_FORMAT: Readonly<Record<string, string>> = {
  "date-time": "2026-01-31T12:00:00Z",
  date: "2026-01-31",
  time: "12:00:00Z",
  duration: "P1D",
  email: "someone@example.org",
  "idn-email": "someone@example.org",
  hostname: "example.org",
  "idn-hostname": "example.org",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.org/",
  "uri-reference": "/a",
  iri: "https://example.org/",
  "iri-reference": "/a",
  uuid: "0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1",
  "uri-template": "/a/{b}",
  "json-pointer": "/a",
  "relative-json-pointer": "0/a",
  regex: "^a$",
  byte: "YQ==",
  base64url: "YQ",
};

const DEPTH_MAX = 16;
/** Values that are tried before there is said to be no example. */
const TRIES_MAX = 64;

/** A value that fits, as small as it is easily found; undefined where none was found. */
export function exampleOf(root: Subschema, validator: Validator): unknown {
  for (const value of candidates([root], { depth: 0, left: TRIES_MAX }))
    if (validator.judge(value) === null) return value;
  return undefined;
}

interface Effort {
  readonly depth: number;
  left: number;
}

/** Values that may fit, the likeliest first. */
function* candidates(schemas: readonly Subschema[], effort: Effort): Generator<unknown> {
  for (const chosen of choices(schemas)) {
    const together = togetherWith(chosen);
    const facts = factsOf(chosen);
    for (const value of facts.values ?? ofTypes(facts, together, effort)) {
      if (effort.left-- <= 0) return;
      yield value;
    }
  }
}

/** The schemas, with one of each of their alternatives, in turn. */
function* choices(schemas: readonly Subschema[], done: readonly Alternatives[] = []): Generator<readonly Subschema[]> {
  const open = togetherWith(schemas)
    .flatMap(({ oneOf, anyOf }) => [oneOf, anyOf])
    .find((part) => part !== null && !done.includes(part));
  if (open === undefined || open === null) yield schemas;
  else for (const part of open.parts) yield* choices([...schemas, part], [...done, open]);
}

function* ofTypes(facts: ValueFacts, together: readonly Subschema[], effort: Effort): Generator<unknown> {
  const { types } = facts;
  if ((types & TYPE.object) !== 0 && effort.depth < DEPTH_MAX) yield objectOf(facts, together, effort);
  if ((types & TYPE.array) !== 0 && effort.depth < DEPTH_MAX) yield listOf(facts, together, effort);
  if ((types & TYPE.string) !== 0) yield* textsOf(facts, together, effort);
  if ((types & (TYPE.integer | TYPE.number)) !== 0) yield* numbersOf(facts, together);
  if ((types & TYPE.boolean) !== 0) yield* [true, false];
  if ((types & TYPE.null) !== 0) yield null;
}

function objectOf({ required, membersMin }: ValueFacts, together: readonly Subschema[], effort: Effort): unknown {
  const children = childrenOf(together);
  const names = new Set(required);
  for (const name of children.keys()) if (names.size < membersMin && name !== "*") names.add(name);
  for (let at = 0; names.size < membersMin; at++) names.add(`member${at}`);
  return Object.fromEntries(
    [...names].map((name) => [name, first(children.get(name) ?? children.get("*") ?? [], effort)]),
  );
}

function listOf({ itemsMin }: ValueFacts, together: readonly Subschema[], effort: Effort): unknown {
  const children = childrenOf(together);
  const contained = together.flatMap(({ array }) => (array?.contains ? [array.contains] : []));
  const length = Math.max(itemsMin, contained.length > 0 ? 1 : 0);
  return Array.from({ length }, (_, at) => {
    const own = children.get(String(at)) ?? children.get("*") ?? [];
    return first(at === 0 ? [...own, ...contained] : own, effort);
  });
}

function first(schemas: readonly Subschema[], effort: Effort): unknown {
  // Inside, the first guess has to do: what it leads to is judged as a whole.
  for (const value of candidates(schemas, { depth: effort.depth + 1, left: 1 })) return value;
  return null;
}

function* textsOf(facts: ValueFacts, together: readonly Subschema[], effort: Effort): Generator<string> {
  const { lengthMin, lengthMax, alphabet, formats } = facts;
  const patterns = together.flatMap(({ text }) => (text.pattern === undefined ? [] : [text.pattern.value]));
  const liked = formats.map((format) => BY_FORMAT[format] ?? "");
  const sample = patterns.length === 0 ? null : sampleOf(patterns, { lengthMin, lengthMax, liked });
  if (sample !== null) yield sample;
  yield* liked;
  const held = together.find(({ content }) => content !== null)?.content ?? null;
  if (held !== null && effort.depth < DEPTH_MAX) {
    const text = JSON.stringify(held.schema === null ? {} : first([held.schema], effort));
    yield held.encoding === null ? text : Buffer.from(text).toString(held.encoding);
  }
  const char = String.fromCodePoint(alphabet?.[0] ?? 0x61);
  yield char.repeat(lengthMin);
  for (const other of SAMPLES) {
    const length = [...other].length;
    if (length >= lengthMin && length <= lengthMax) yield other;
  }
}

function* numbersOf({ minimum, maximum, types }: ValueFacts, together: readonly Subschema[]): Generator<number> {
  const step = Math.max(...together.map(({ number }) => Number(number.multipleOf?.value ?? 0)), 0);
  const isWhole = (types & TYPE.number) === 0;
  const unit = step > 0 ? step : isWhole ? 1 : 0.5;
  const low = minimum === null ? Number.NEGATIVE_INFINITY : asNumber(minimum);
  const high = maximum === null ? Number.POSITIVE_INFINITY : asNumber(maximum);
  const start = Math.ceil(low / unit) * unit;
  const end = Math.floor(high / unit) * unit;
  for (const value of [0, start, start + unit, end, end - unit]) {
    const isAbove = value > low || (value === low && minimum?.isExclusive !== true);
    const isBelow = value < high || (value === high && maximum?.isExclusive !== true);
    if (Number.isFinite(value) && isAbove && isBelow) yield value;
  }
}

function asNumber({ value: { digits, exponent } }: Bound): number {
  return Number(`${digits}e${exponent}`);
}
