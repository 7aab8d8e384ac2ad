import { PassThrough } from "node:stream";
import type { Denial } from "../decision/verdict.ts";
import type { ResponseCheck } from "../filters/response-check.ts";
import { bodyBytesOf, endsWithHead } from "../http1/response-framing.ts";
import { ResponseReader } from "../http1/response-reader.ts";
import type { MemoryBudget } from "../memory/budget.ts";
import { CHUNKED } from "../message/body.ts";
import type { Exchange } from "../message/exchange.ts";
import { type ClientResponse, NO_LENGTH, type ResponseLimits, type ServerStream } from "../message/stream.ts";
import type { CallOutcome } from "../message/taken.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import { AnswerHalf, type AskingHalf } from "../proxy/answer-half.ts";
import type { AnswerLife } from "../proxy/life.ts";
import { faultDenial } from "../proxy/noted-judgement.ts";
import type { OwnAnswer } from "../proxy/own-page.ts";
import type { Subject } from "../proxy/pipeline.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { DECISION_ID } from "./explain.ts";

/** An answer as a service would give it, before it is read as one. */
export interface GivenAnswer {
  readonly status: number;
  /** `Name: value` lines. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What the client gets. */
export interface ClientAnswer {
  readonly status: number;
  /** `name: value` lines. */
  readonly lines: readonly string[];
  readonly body: Buffer;
  /** Why it is postern's own, or ends in the middle; null where it is neither. */
  readonly denial: Denial | null;
  readonly callOutcome: CallOutcome;
}

/** What of a judged request its answer's rules look at. */
export type AnswerSubject = Pick<Subject, "snapshot" | "exchange" | "route" | "shares">;

export interface AnswerDeps {
  readonly clock: Clock;
  readonly memory: MemoryBudget;
  /** A check looks at the answer. */
  readonly onCheck: (check: ResponseCheck) => void;
}

/** What comes of the service's answer on its way to the client, by the code that the data path has for it. */
export async function rehearseAnswer(subject: Subject, given: GivenAnswer, deps: AnswerDeps): Promise<ClientAnswer> {
  const { snapshot, route, exchange } = subject;
  const limits = snapshot.upstreams.get(route?.upstream ?? exchange.upstream) ?? DEFAULTS_OF_HEADS;
  const read = readAnswer(given, exchange.method, limits);
  return throughHalf(subject, deps, (half, life) => {
    if (!read.ok) half.onFailure("invalid", read.error);
    else pass(read.value, half, life);
  });
}

/** The same of an answer that was read already. */
export function rehearseResponse(
  subject: AnswerSubject,
  answer: { readonly response: ClientResponse; readonly body: Buffer },
  deps: AnswerDeps,
): Promise<ClientAnswer> {
  return throughHalf(subject, deps, (half, life) => pass(answer, half, life));
}

/** What the client gets in place of the service's answer. */
export function rehearseOwnAnswer(subject: Subject, own: OwnAnswer | Denial, deps: AnswerDeps): Promise<ClientAnswer> {
  return throughHalf(subject, deps, (half, life) => {
    if ("reason" in own) life.deny(own);
    else half.give(own);
  });
}

const DEFAULTS_OF_HEADS: ResponseLimits = {
  headBytesMax: DEFAULTS.headBytesCeiling,
  headersCountMax: Number.POSITIVE_INFINITY,
};

interface ReadAnswer {
  readonly response: ClientResponse;
  readonly body: Buffer;
}

/** Its bytes as HTTP/1.1 has them, read as those of a service are. */
function readAnswer(given: GivenAnswer, method: string, limits: ResponseLimits): Result<ReadAnswer, string> {
  const { status, headers } = given;
  const isFramed = headers.some((line) => /^(?:content-length|transfer-encoding):/i.test(line));
  const length = isFramed || status === 204 ? [] : [`Content-Length: ${given.body.length}`];
  const lines = [...headers, ...length].map((line) => `${line}\r\n`).join("");
  const bytes = Buffer.from(`HTTP/1.1 ${status} \r\n${lines}\r\n`, "latin1");
  const head = new ResponseReader(limits).read(bytes, 0);
  if (head === null || typeof head === "string") return err(head ?? "a head that does not end");
  if (head.end < bytes.length) return err("an empty line within the head");
  const isBodiless = endsWithHead(status, method === "HEAD");
  const bodyBytes = bodyBytesOf(head.parsed, isBodiless);
  const body = isBodiless ? Buffer.alloc(0) : given.body;
  if (bodyBytes >= 0 && bodyBytes !== body.length)
    return err(`Content-Length ${bodyBytes} of a body of ${body.length} bytes`);
  const announcedBytes = head.parsed.bodyBytes >= 0 ? head.parsed.bodyBytes : NO_LENGTH;
  return ok({ response: { status, headers: head.parsed.headers, bodyBytes, announcedBytes }, body });
}

/** As a connection hands it over, read by read. */
function pass({ response, body }: ReadAnswer, half: AnswerHalf, life: RehearsedLife): void {
  half.onResponse(response);
  for (let at = 0; at < body.length && !life.isOver; at += READ_BYTES) {
    if (at > 0) half.onReadEnd();
    if (!life.isOver) half.onResponseBody(body.subarray(at, at + READ_BYTES));
  }
  if (!life.isOver) half.onResponseEnd(null);
}

const READ_BYTES = 64 * 1024;

function throughHalf(
  subject: AnswerSubject,
  deps: AnswerDeps,
  begin: (half: AnswerHalf, life: RehearsedLife) => void,
): Promise<ClientAnswer> {
  return new Promise((resolve) => {
    const life = new RehearsedLife(subject, deps);
    const client = new SeenByClient(() => {
      const { status, lines, body } = client;
      resolve({ status, lines, body: Buffer.concat(body), denial: life.denial, callOutcome: half.callOutcome });
    });
    const half = new AnswerHalf(life, NOBODY_ASKED, client);
    life.half = half;
    try {
      begin(half, life);
    } catch (error) {
      life.deny(faultDenial(error));
    }
  });
}

/** The service has answered, and nothing more is asked of it. */
const NOBODY_ASKED: AskingHalf = {
  forwardedMs: 0,
  settings: undefined,
  onAnswered: () => {},
  onServiceDone: () => {},
  repeats: () => false,
  resumeAnswer: () => {},
  resumeBody: () => {},
};

class RehearsedLife implements AnswerLife {
  readonly id = DECISION_ID;
  readonly webSocket = null;
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
  readonly route: Route | null;
  readonly shares: Subject["shares"];
  readonly deps: AnswerDeps;
  readonly onAnswerCheck: AnswerDeps["onCheck"];
  denial: Denial | null = null;
  isOver = false;
  half: AnswerHalf | null = null;

  constructor({ snapshot, exchange, route, shares }: AnswerSubject, deps: AnswerDeps) {
    this.snapshot = snapshot;
    this.exchange = exchange;
    this.route = route;
    this.shares = shares;
    this.deps = deps;
    this.onAnswerCheck = deps.onCheck;
  }

  last(): void {}

  deny(denial: Denial): void {
    if (!this.isOver) this.half?.refuse(denial);
  }

  finish(_: unknown, denial: Denial | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.denial = denial;
    this.half?.stop();
  }
}

/** The client's end of it: keeps what comes. */
class SeenByClient implements ServerStream {
  readonly requestBodyBytes = 0;
  status = 0;
  lines: string[] = [];
  readonly body: Buffer[] = [];
  readonly #onEnd: () => void;
  #isChunked = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  get carriesTrailers(): boolean {
    return this.#isChunked;
  }

  get responseBodyBytes(): number {
    return this.body.reduce((sum, { length }) => sum + length, 0);
  }

  writeInformational(): void {}

  startResponse(status: number, lines: string, bodyBytes: number): void {
    this.status = status;
    this.#isChunked = bodyBytes === CHUNKED;
    const length = bodyBytes >= 0 ? `content-length: ${bodyBytes}\r\n` : "";
    this.lines = `${lines}${length}`.split("\r\n").slice(0, -1);
  }

  writeBody(chunk: Buffer): void {
    this.body.push(chunk);
  }

  flush(): boolean {
    return true;
  }

  endResponse(): void {
    this.#onEnd();
  }

  /** No answer of a test's switches protocols. */
  upgrade(): PassThrough {
    return new PassThrough();
  }

  abort(): void {
    this.#onEnd();
  }
}
