import { unlimitedMemory } from "../memory/budget.ts";
import type { Answer, AnswerObserver, AnswerWatcher } from "../message/answer.ts";
import { Exchange } from "../message/exchange.ts";
import { type ClientResponse, NO_LENGTH } from "../message/stream.ts";
import type { Route } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type AnswerSubject, type ClientAnswer, rehearseResponse } from "./rehearsed-answer.ts";

/** The answer of the service to one request, as it was sent; its body up to a bound. */
export class SeenAnswer implements AnswerWatcher, AnswerObserver {
  #answer: Pick<Answer, "status" | "headers" | "hasBody"> | null = null;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #isWhole = false;
  /** Why nobody looks at it; null where somebody may. */
  #unknown: string | null = null;

  watch({ status, headers, hasBody }: Answer): AnswerObserver | null {
    this.#answer = { status, headers, hasBody };
    const type = headers.list("content-type") ?? "";
    if (status === 206) this.#unknown = "a part of an answer";
    else if (type.startsWith("text/event-stream")) this.#unknown = "a stream";
    if (this.#unknown !== null) return null;
    this.#isWhole = !hasBody;
    return hasBody ? this : null;
  }

  onChunk(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > DEFAULTS.candidateBodyBytesMax) {
      this.#unknown = "a long answer";
      this.#chunks.length = 0;
    } else if (this.#unknown === null) this.#chunks.push(Buffer.from(chunk));
  }

  onEnd(): void {
    this.#isWhole = true;
  }

  /** What was sent, or why that is not known. */
  sent(): { readonly response: ClientResponse; readonly body: Buffer } | string {
    if (this.#unknown !== null) return this.#unknown;
    if (this.#answer === null || !this.#isWhole) return "the answer";
    const { status, headers } = this.#answer;
    const body = Buffer.concat(this.#chunks);
    const announcedBytes = headers.list("content-length") === undefined ? NO_LENGTH : body.length;
    return { response: { status, headers, bodyBytes: body.length, announcedBytes }, body };
  }
}

/** What two policies make of the same answer. */
export interface AnswersOfBoth {
  readonly live: ClientAnswer;
  readonly candidate: ClientAnswer;
}

/** Whether what a service answers is judged by one of the two. */
export function judgesAnswers(live: Route | null, candidate: Route | null): boolean {
  return (live?.responseChecks.length ?? 0) > 0 || (candidate?.responseChecks.length ?? 0) > 0;
}

/**
 * Has the answer go through the data path's own code once by each policy: nothing that either does with it reaches anybody.
 * Why that cannot be known, where the service would have been asked for another.
 */
export async function judgeAnswers(
  seen: SeenAnswer,
  live: AnswerSubject,
  candidate: AnswerSubject,
  clock: Clock,
): Promise<AnswersOfBoth | string> {
  const sent = seen.sent();
  if (typeof sent === "string") return sent;
  const coding = sent.response.headers.list("content-encoding") ?? "identity";
  if (coding !== "identity" && asksForIdentity(live.route) !== asksForIdentity(candidate.route))
    return "a compressed answer";
  const memory = unlimitedMemory();
  const rehearse = (of: AnswerSubject): Promise<ClientAnswer> =>
    rehearseResponse({ ...of, exchange: unheld(of.exchange) }, sent, { clock, memory, onCheck: () => {} });
  return { live: await rehearse(live), candidate: await rehearse(candidate) };
}

/** What both let through is the same to its client. */
export function isSameAnswer({ live, candidate }: AnswersOfBoth): boolean {
  const isSameHead = live.status === candidate.status && live.lines.join("\n") === candidate.lines.join("\n");
  return isSameHead && live.body.equals(candidate.body);
}

function asksForIdentity(route: Route | null): boolean {
  return route?.answerReading?.asksForIdentity === true;
}

/** The same request, which holds nothing and of which nothing is noted. */
function unheld(exchange: Exchange): Exchange {
  const { connection, method, target, host, authority, headers, body } = exchange;
  const copy = new Exchange(connection, method, target, host, authority, headers, body);
  Object.assign(copy, exchange);
  copy.isOver = false;
  copy.taken = null;
  copy.charge = null;
  copy.onOver = null;
  copy.watchers = null;
  copy.audited = null;
  copy.auditedBy = null;
  copy.answerCounts = null;
  copy.leaks = null;
  copy.detected = null;
  return copy;
}
