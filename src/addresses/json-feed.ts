import { parseJsonInSteps } from "../bodies/json.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { EXPECTED, type FeedFormat, type FeedSink } from "./feed.ts";
import { Lines } from "./lines.ts";

type JsonMap = Readonly<Record<string, unknown>>;

/** Lines or values gone through between two yields. */
const STEP_VALUES = 128;

/**
 * Under which names publishers write addresses: Google, Bing and Apple (`ipv4Prefix`), Amazon (`ip_prefix`), Azure
 * (`addressPrefixes`), Cloudflare and Fastly (`ipv4_cidrs`, `addresses`), Spamhaus (`cidr`).
 */
const MEMBERS: ReadonlySet<string> = new Set([
  "ipv4Prefix",
  "ipv6Prefix",
  "ip_prefix",
  "ipv6_prefix",
  "addressPrefixes",
  "ipv4_cidrs",
  "ipv6_cidrs",
  "addresses",
  "ipv6_addresses",
  "cidr",
]);

/** A JSON object a line, each with an address; one of `type` metadata, as Spamhaus ends its lists, has none. */
export function* readJsonLines(bytes: Buffer, format: FeedFormat, sink: FeedSink): Steps<null> {
  const lines = new Lines(bytes);
  while (lines.next() && !sink.isFull) {
    if (lines.line % STEP_VALUES === 0) yield;
    const value = lines.length > DEFAULTS.addressLineBytesMax ? undefined : parsed(lines.text);
    if (!isMap(value)) sink.fault(lines.line, "expected a JSON object");
    else if (value["type"] !== "metadata" && isWanted(value, format)) {
      const before = sink.seen;
      yield* addMembers(value, format, sink, lines.line);
      if (sink.seen === before) sink.fault(lines.line, `no ${memberWords(format)} in it`);
    }
  }
  return null;
}

/** One document: every address that stands under the names of publishers, or is an item of a list of nothing but texts. */
export function* readDocument(bytes: Buffer, format: FeedFormat, sink: FeedSink): Steps<string | null> {
  const document = yield* parseJsonInSteps(bytes);
  if (!document.ok) return `is no JSON: ${document.error}`;
  if (isMap(document.value) || Array.isArray(document.value)) {
    yield* addMembers(document.value, format, sink, null);
    return null;
  }
  return "is no JSON object";
}

interface Found {
  readonly value: unknown;
  /** It stands where addresses are. */
  readonly isAddress: boolean;
}

function* addMembers(
  top: JsonMap | readonly unknown[],
  format: FeedFormat,
  sink: FeedSink,
  line: number | null,
): Steps<void> {
  const left: Found[] = [{ value: top, isAddress: Array.isArray(top) && format.member === undefined }];
  let looked = 0;
  for (let one = left.pop(); one !== undefined && !sink.isFull; one = left.pop()) {
    if (++looked % STEP_VALUES === 0) yield;
    const { value, isAddress } = one;
    if (Array.isArray(value)) for (const item of value) left.push({ value: item, isAddress });
    else if (isMap(value)) {
      if (!isWanted(value, format)) continue;
      for (const [name, member] of Object.entries(value))
        left.push({ value: member, isAddress: isNamed(name, format) });
    } else if (isAddress && typeof value === "string") sink.add(value, line);
    else if (isAddress && value !== null) sink.fault(line, EXPECTED);
  }
}

function isNamed(name: string, { member }: FeedFormat): boolean {
  return member === undefined ? MEMBERS.has(name) : name === member;
}

/** Objects that say something else under one of the names are left out, with all that is in them; those that do not have it stay. */
function isWanted(value: JsonMap, { where }: FeedFormat): boolean {
  if (where === undefined) return true;
  for (const [name, texts] of Object.entries(where)) {
    const said = value[name];
    if (typeof said === "string" && !texts.includes(said)) return false;
  }
  return true;
}

function memberWords({ member }: FeedFormat): string {
  return member === undefined ? "'cidr' or other address" : `'${member}'`;
}

function isMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether the first line is a value of its own, as of JSON lines, and not the beginning of a document, or a document in one line. */
export function isJsonLines(bytes: Buffer, format: FeedFormat): boolean {
  const lines = new Lines(bytes);
  if (!lines.next() || lines.length > DEFAULTS.addressLineBytesMax) return false;
  const value = parsed(lines.text);
  if (!isMap(value)) return false;
  return (
    Object.entries(value).some(([name, member]) => isNamed(name, format) && typeof member === "string") || lines.next()
  );
}
