import { Denial, type HeaderLine, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Account } from "../../memory/account.ts";
import { type BodyFailure, type Collected, collectBody } from "../../message/body.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { type Steps, Turns } from "../../support/turns.ts";
import { type JsonShape, judgeShape } from "./json-shape.ts";
import type { LongBodies } from "./long-bodies.ts";

/** One part of the check; a promise only where the body must be read. */
export type Part = (exchange: Exchange) => Verdict | Promise<Verdict>;

/** How a body is held to be judged. */
export interface HoldRules {
  readonly bytesMax: number;
  /** Beyond `bytesMax` where the check does not enforce: what is only audited must still be forwarded whole. */
  readonly collectedBytesMax: number;
  /** Of all bodies that are held in this process. */
  readonly bodies: Account;
  readonly longBodies: LongBodies;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly place: Place;
  /** What its parts may be at most, looked at before it is read; null or absent for no bounds. */
  readonly shape?: JsonShape | null;
}

/** How long work waits for its turn. */
export type LineRules = Pick<HoldRules, "clock" | "longBodies" | "place">;

const RETRY: readonly HeaderLine[] = [["retry-after", "1"]];

export function tooLarge(seen: string, bytesMax: number, place: Place, terminal: boolean): Denial {
  return new Denial("body_too_large", place, seen, `at most ${bytesMax} bytes`, [], terminal);
}

export function noRoom({ heldBytes, bytesMax, clientBytesMax }: Account, place: Place): Denial {
  const seen = `${heldBytes} bytes of bodies are held, of at most ${bytesMax}, ${clientBytesMax} for one client`;
  return new Denial("memory_bodies", place, seen, "room for this body", RETRY, true);
}

/** Reads the body whole and has it judged; the bytes that were judged are the bytes that are forwarded. */
export function judgeHeld(
  rules: HoldRules,
  judge: (bytes: Buffer, exchange: Exchange) => Verdict | Promise<Verdict>,
): Part {
  const { bytesMax, collectedBytesMax, bodies, place, shape = null } = rules;
  const judgeSized = (bytes: Buffer, exchange: Exchange): Verdict | Promise<Verdict> => {
    if (bytes.length > bytesMax) return tooLarge(`${bytes.length} bytes`, bytesMax, place, false);
    if (shape === null) return judge(bytes, exchange);
    const verdict = judgeInSteps(exchange, rules, bytes.length, judgeShape(bytes, shape));
    if (verdict instanceof Promise) return verdict.then((settled) => settled ?? judge(bytes, exchange));
    return verdict ?? judge(bytes, exchange);
  };
  const lost = (failure: BodyFailure): Denial => {
    if (failure === "body_too_large") return tooLarge("more bytes", collectedBytesMax, place, true);
    if (failure !== "memory_bodies") return new Denial(failure, place, failure, "a whole body", [], true);
    return noRoom(bodies, place);
  };
  const judgeCollected = (collected: Collected, exchange: Exchange): Verdict | Promise<Verdict> => {
    if (typeof collected === "string") return lost(collected);
    exchange.collectedBody = collected;
    return judgeSized(collected, exchange);
  };
  return (exchange) => {
    if (exchange.collectedBody !== null) return judgeSized(exchange.collectedBody, exchange);
    if (exchange.body.announcedBytes === 0) return judgeSized(Buffer.alloc(0), exchange);
    const collected = collectBody(exchange.body, collectedBytesMax, exchange.chargeTo(bodies));
    return collected instanceof Promise
      ? collected.then((body) => judgeCollected(body, exchange))
      : judgeCollected(collected, exchange);
  };
}

/** Thrown through the work for a client that has left: its end would take room and turns of others. */
const GONE = Symbol("gone");

/** Long work on a body, or so many `bytes` of it: when it is its client's turn, a stretch at a time, as long as somebody waits. */
export function judgeInLine<T>(
  exchange: Exchange,
  { clock, longBodies, place }: LineRules,
  bytes: number,
  work: (turns: () => Turns) => Promise<T>,
): Promise<T | Denial> {
  const onStretch = (): void => {
    if (exchange.isOver) throw GONE;
    longBodies.giveUpLate();
  };
  const left = new Denial("client_closed", place, "client_closed", "a client that waits", [], true);
  const seen = `a body that waited ${DEFAULTS.longBodyWaitMsMax} ms for its turn`;
  const late = new Denial("overloaded", place, seen, "fewer long bodies at once", RETRY);
  return longBodies.judge<T | Denial>(exchange, bytes, clock, { left, late }, async () => {
    try {
      return await work(() => new Turns(clock, DEFAULTS.bodySliceMs, onStretch));
    } catch (error) {
      if (error === GONE) return left;
      throw error;
    }
  });
}

/** Work that may turn out to be long: what does not end within a slice goes on in line. */
export function judgeAtOnceOrInLine(
  exchange: Exchange,
  rules: LineRules,
  bytes: number,
  steps: Steps<Verdict>,
): Verdict | Promise<Verdict> {
  const turns = new Turns(rules.clock, DEFAULTS.bodySliceMs);
  do {
    const step = steps.next();
    if (step.done === true) return step.value;
  } while (!turns.due);
  return judgeInLine(exchange, rules, bytes, async (begin) => begin().run(steps));
}

/** The same of a body that is here: a long one is not begun before its turn, when room is kept for what is read of it. */
export function judgeInSteps(
  exchange: Exchange,
  rules: LineRules,
  bytes: number,
  steps: Steps<Verdict>,
): Verdict | Promise<Verdict> {
  return bytes > DEFAULTS.bodyAtOnceBytesMax
    ? judgeInLine(exchange, rules, bytes, async (begin) => begin().run(steps))
    : judgeAtOnceOrInLine(exchange, rules, bytes, steps);
}
