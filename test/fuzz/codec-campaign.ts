import {
  type Outcome,
  outcomeOf,
  requestsDiffer,
  responsesDiffer,
  splitDiffers,
  splitResponseDiffers,
} from "./compare.ts";
import { type ResponseCase, requests, response } from "./grammar.ts";
import { type LlhttpServer, readRequestsAll, readResponsesAll } from "./llhttp.ts";
import { split } from "./memory-socket.ts";
import { minimise } from "./minimise.ts";
import { readRequests, readResponse } from "./ours.ts";
import { caseSeed, Random } from "./random.ts";
import type { Reading } from "./reading.ts";

export interface Disagreement {
  readonly kind: "requests" | "response" | "forwarded" | "raw sockets" | "http2";
  readonly seed: number;
  /** Of the case; with the seed it gives the case again. */
  readonly index: number;
  readonly what: string;
  /** The smallest bytes found that still disagree, as latin1. */
  readonly bytes: string;
  /** Method of the request that a response answers. */
  readonly method?: string;
}

export interface Tally {
  messages: number;
  cases: number;
  readonly outcomes: Map<string, number>;
  readonly disagreements: Disagreement[];
}

export const newTally = (): Tally => ({ messages: 0, cases: 0, outcomes: new Map(), disagreements: [] });

export function count(tally: Tally, kind: string, outcome: Outcome | "DISAGREE"): void {
  const key = `${kind}: ${outcome}`;
  tally.outcomes.set(key, (tally.outcomes.get(key) ?? 0) + 1);
}

/** Read whole, and the one that was refused behind them. */
export const messagesIn = (reading: Reading): number =>
  Math.max(1, reading.messages.length + (reading.partial ? 1 : 0));

/** Enough of one fault; the rest of a run would only find it again. */
export const DISAGREEMENTS_MAX = 40;

/** Every byte a read of its own, or a few cuts anywhere. */
export function cuts(random: Random, length: number): number[] {
  if (random.chance(0.15)) return Array.from({ length }, (_, at) => at);
  return Array.from({ length: 1 + random.below(6) }, () => random.below(length + 1));
}

/** `size` connections with requests, through both parsers. */
export async function requestBatch(
  tally: Tally,
  server: LlhttpServer,
  seed: number,
  from: number,
  size: number,
): Promise<void> {
  const cases = Array.from({ length: size }, (_, at) => {
    const random = new Random(caseSeed(seed, from + at));
    const bytes = requests(random);
    return { bytes, reads: split(bytes, cuts(random, bytes.length)) };
  });
  const theirs = await readRequestsAll(
    server,
    cases.map(({ bytes, reads }, at) => (at % 2 === 0 ? [bytes] : reads)),
  );
  for (const [at, { bytes, reads }] of cases.entries()) {
    const other = theirs[at];
    if (other === undefined) continue;
    const whole = readRequests([bytes]);
    tally.cases++;
    tally.messages += messagesIn(whole);
    const splitFault = splitDiffers(whole, readRequests(reads));
    const what = splitFault ?? requestsDiffer(whole, other);
    count(tally, "requests", what === null ? outcomeOf(whole, other) : "DISAGREE");
    if (what === null || tally.disagreements.length >= DISAGREEMENTS_MAX) continue;
    const smallest = splitFault === null ? await minimise(bytes, (b) => requestsFail(server, b, what)) : bytes;
    tally.disagreements.push({ kind: "requests", seed, index: from + at, what, bytes: smallest });
  }
}

async function requestsFail(server: LlhttpServer, bytes: string, what: string): Promise<boolean> {
  const [other] = await readRequestsAll(server, [[bytes]]);
  return other !== undefined && isSameFault(requestsDiffer(readRequests([bytes]), other), what);
}

/** `size` connections with one response each, through both parsers. */
export async function responseBatch(tally: Tally, seed: number, from: number, size: number): Promise<void> {
  const cases = Array.from({ length: size }, (_, at) => {
    const random = new Random(caseSeed(~seed, from + at));
    const made = response(random);
    return { ...made, reads: split(made.bytes, cuts(random, made.bytes.length)) };
  });
  const theirs = await readResponsesAll(
    cases.map((made, at) => (at % 2 === 0 ? { ...made, reads: [made.bytes] } : made)),
  );
  for (const [at, made] of cases.entries()) {
    const other = theirs[at];
    if (other === undefined) continue;
    const whole = readResponse(made.method, [made.bytes], made.ends);
    tally.cases++;
    tally.messages += messagesIn(whole);
    const splitFault = splitResponseDiffers(whole, readResponse(made.method, made.reads, made.ends));
    const what = splitFault ?? responsesDiffer(whole, other);
    count(tally, "responses", what === null ? outcomeOf(whole, other) : "DISAGREE");
    if (what === null || tally.disagreements.length >= DISAGREEMENTS_MAX) continue;
    const smallest = splitFault === null ? await minimise(made.bytes, (b) => responseFails(made, b, what)) : made.bytes;
    tally.disagreements.push({ kind: "response", seed, index: from + at, what, bytes: smallest, method: made.method });
  }
}

async function responseFails(made: ResponseCase, bytes: string, what: string): Promise<boolean> {
  const [other] = await readResponsesAll([{ ...made, reads: [bytes] }]);
  return (
    other !== undefined && isSameFault(responsesDiffer(readResponse(made.method, [bytes], made.ends), other), what)
  );
}

/** The numbers and the texts in it may change while the bytes shrink, the kind of fault may not. */
export function isSameFault(found: string | null, wanted: string): boolean {
  const kind = (what: string): string => what.replace(/\d+|'[^']*'/g, "");
  return found !== null && kind(found) === kind(wanted);
}
