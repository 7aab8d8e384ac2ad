import { REASONS, type Reason } from "../decision/reason.ts";
import type { Denial, Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { JsonBytes } from "../support/json-bytes.ts";
import { maskTokens } from "../support/mask-tokens.ts";
import { logText } from "../telemetry/log-text.ts";
import type { RequestRecord } from "../telemetry/request-record.ts";
import type { ConnectionPieces } from "./connection-pieces.ts";
import { type DecisionFacts, FACTS_VERSION } from "./decision-facts.ts";
import { DecisionLine } from "./decision-line.ts";
import { FactsPieces, type FactsSettings, NO_QUERY, NO_VERSION } from "./facts-pieces.ts";
import { shown } from "./redaction.ts";
import type { Step } from "./step.ts";

/** A request that is over, as the proxy tells of it. */
export interface FinishedRequest extends RequestRecord {
  /** It was denied, and nothing of it was forwarded. */
  readonly denied: boolean;
}

/** Keys, with what nearly always stands between them. */
const KEYS = {
  id: Buffer.from(`{"v":${FACTS_VERSION},"id":`),
  atMs: Buffer.from(',"atMs":'),
  requestBytes: Buffer.from(',"requestBytes":'),
  responseBytes: Buffer.from(',"responseBytes":'),
  allowed: Buffer.from(',"verdict":"allow","reason":null,"denial":null,"audited":[],"status":'),
  decisionUs: Buffer.from(',"decisionUs":'),
  notForwarded: Buffer.from(',"upstreamMs":null,"durationMs":'),
  upstreamMs: Buffer.from(',"upstreamMs":'),
  durationMs: Buffer.from(',"durationMs":'),
  policyHash: Buffer.from(',"policyHash":'),
} as const;

/**
 * A finished request → its facts as a line of JSON, by hand: each request of a recorded service costs one, and an object that is
 * serialized takes many times as long.
 */
export class FactsMaker {
  readonly #pieces: FactsPieces;
  readonly #json = new JsonBytes();

  constructor(settings: FactsSettings) {
    this.#pieces = new FactsPieces(settings);
  }

  /** Its bytes are those of the next line, too. */
  make(finished: FinishedRequest, place: Place | null, wallMs: number, trace?: readonly Step[]): DecisionLine {
    const verdict = verdictOf(finished);
    this.#json.clear();
    const pieces = this.#pieces.of(finished.exchange.connection);
    this.#writeRequest(finished, pieces, wallMs);
    this.#writeWho(finished, pieces, place);
    this.#writeVerdict(finished, verdict);
    this.#writeTimes(finished);
    if (trace !== undefined) this.#json.json(`,"trace":${JSON.stringify(trace.map(maskedStep))}`);
    this.#json.ascii("}");
    return new DecisionLine(finished.id, finished.reason, verdict, this.#json.bytes, this.#json.length);
  }

  #writeRequest(finished: FinishedRequest, connection: ConnectionPieces, wallMs: number): void {
    const json = this.#json;
    json.piece(KEYS.id);
    json.quoted(finished.id);
    json.piece(KEYS.atMs);
    json.integer(Math.round(wallMs));
    json.piece(connection.beginning(finished, this.#pieces));
    json.quoted(maskTokens(finished.exchange.target.path), DEFAULTS.logPathCharsMax, cutPath);
  }

  #writeWho(finished: FinishedRequest, connection: ConnectionPieces, place: Place | null): void {
    const json = this.#json;
    const pieces = this.#pieces;
    const { exchange, route } = finished;
    const isUsual = exchange.target.query.length <= 1 && exchange.version === null;
    const who = isUsual ? connection.who(finished, place, pieces) : null;
    if (who !== null) {
      json.piece(who);
      return;
    }
    if (exchange.target.query.length <= 1) json.piece(NO_QUERY);
    else json.json(pieces.query(exchange.target.query));
    json.piece(pieces.headers(exchange.headers));
    json.piece(pieces.route(route, place));
    if (exchange.version === null) json.piece(NO_VERSION);
    else json.json(`,"version":${JSON.stringify(exchange.version)}`);
    json.piece(pieces.principal(exchange.principal));
    json.piece(pieces.certificate(exchange.certificate));
  }

  #writeVerdict(finished: FinishedRequest, verdict: DecisionFacts["verdict"]): void {
    const json = this.#json;
    const { reason, denial, exchange } = finished;
    json.piece(KEYS.requestBytes);
    json.integer(finished.requestBodyBytes);
    json.piece(KEYS.responseBytes);
    json.integer(finished.responseBodyBytes);
    if (reason === null && denial === null && exchange.audited === null) {
      json.piece(KEYS.allowed);
    } else {
      json.ascii(`,"verdict":"${verdict}","reason":${reason === null ? "null" : `"${reason}"`},"denial":`);
      if (denial === null) json.ascii("null");
      else this.#writeDenial(denial);
      json.ascii(',"audited":[');
      exchange.audited?.slice(0, DEFAULTS.factsAuditedMax).forEach((audited, at) => {
        if (at > 0) json.ascii(",");
        this.#writeDenial(audited);
      });
      json.ascii('],"status":');
    }
    json.integer(finished.status);
  }

  #writeDenial({ reason, place, seen, wanted }: Denial): void {
    const json = this.#json;
    json.ascii(`{"reason":"${reason}","place":`);
    json.piece(this.#pieces.place(place));
    json.ascii(',"rule":');
    if (place === null) json.ascii("null");
    else json.quoted(place.path);
    json.ascii(',"seen":');
    json.quoted(maskTokens(seen), DEFAULTS.logTextCharsMax, cutText);
    json.ascii(',"wanted":');
    json.quoted(maskTokens(wanted), DEFAULTS.logTextCharsMax, cutText);
    json.ascii("}");
  }

  #writeTimes({ decisionMs, upstreamMs, durationMs, policyHash }: FinishedRequest): void {
    const json = this.#json;
    json.piece(KEYS.decisionUs);
    json.decimal(decisionMs * 10_000, 1);
    if (upstreamMs < 0) {
      json.piece(KEYS.notForwarded);
    } else {
      json.piece(KEYS.upstreamMs);
      json.decimal(upstreamMs * 1000, 3);
      json.piece(KEYS.durationMs);
    }
    json.decimal(durationMs * 1000, 3);
    json.piece(KEYS.policyHash);
    json.quoted(policyHash);
  }
}

const cutPath = (path: string): string => JSON.stringify(logText(path, DEFAULTS.logPathCharsMax));
const cutText = (text: string): string => JSON.stringify(logText(text, DEFAULTS.logTextCharsMax));

function maskedStep(step: Step): Step {
  const saw = shown(step.saw, DEFAULTS.logTextCharsMax);
  return { ...step, saw, wanted: step.wanted === null ? null : shown(step.wanted, DEFAULTS.logTextCharsMax) };
}

/** What fails between postern and the service, or at the client's end, no rule has decided. */
function verdictOf({ reason, denied }: FinishedRequest): DecisionFacts["verdict"] {
  if (!denied || reason === null) return "allow";
  if (REASONS[reason].source === "upstream") return "allow";
  return LEFT.has(reason) ? "none" : "deny";
}

const LEFT: ReadonlySet<Reason> = new Set(["client_closed", "client_read_timeout"]);
