import { hash } from "node:crypto";
import { AMBIGUOUS } from "../../attributes/types.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Waiting } from "../../resources/waiting.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Check } from "../filter.ts";
import { documentOf } from "./document.ts";
import type { Protocol } from "./protocol.ts";
import type { Question } from "./question.ts";

/** What is sent, and where. */
interface Asked {
  readonly url: URL;
  readonly body: string;
  /** Of the answer: what equal questions share. */
  readonly key: string;
}

/** Asks a decision service whether the request may pass. */
export class DecideCheck implements Check {
  readonly name = "decide";
  readonly phase: "authorize" | "validate";
  /**
   * Who enforces asks last, for it is the dearest look. Who only looks on asks first, so that it is known also of requests
   * which our own rules deny.
   */
  readonly late: boolean;
  readonly place: Place;
  readonly enforcePercent: number;
  readonly #question: Question;
  readonly #waiting: Waiting;

  constructor(question: Question, place: Place, enforcePercent: number, waiting: Waiting) {
    this.phase = question.phase;
    this.late = enforcePercent > 0 || question.phase === "validate";
    this.place = place;
    this.enforcePercent = enforcePercent;
    this.#question = question;
    this.#waiting = waiting;
  }

  evaluate(exchange: Exchange): Verdict | Promise<Verdict> {
    const asked = this.#ask(exchange);
    if (!asked.ok) return this.#take(exchange, "deny", asked.error);
    const known = this.#question.cacheBy === null ? undefined : this.#question.point.known(asked.value.key);
    if (known !== undefined) return this.#take(exchange, known ? "allow" : "deny", "the service says no");
    return this.#wait(exchange, asked.value);
  }

  explain(exchange: Exchange): string {
    const { service } = this.#question;
    const decided = exchange.decided?.find((one) => one.service === service);
    return decided === undefined ? `${service} was not asked` : `${service}: ${decided.theirs}`;
  }

  async #wait(exchange: Exchange, { url, body, key }: Asked): Promise<Verdict> {
    const { point, timeoutMs } = this.#question;
    const waited = await this.#waiting.until(exchange, point.ask(url, body, key), timeoutMs);
    if (!waited.ok) return this.#take(exchange, "none", WORDS[waited.error]);
    const answer = waited.value;
    if (!answer.ok) return this.#take(exchange, "none", answer.error);
    return this.#take(exchange, answer.value ? "allow" : "deny", "the service says no");
  }

  #take(exchange: Exchange, theirs: "allow" | "deny" | "none", seen: string): Verdict {
    const { service, opensOnFailure } = this.#question;
    exchange.decided ??= [];
    exchange.decided.push({ service, theirs });
    if (theirs === "allow" || (theirs === "none" && opensOnFailure)) return CONTINUE;
    const reason = theirs === "deny" ? "decision_denied" : "decision_unavailable";
    return new Denial(reason, this.place, `${service}: ${seen}`, "a decision service that allows it");
  }

  #ask(exchange: Exchange): Result<Asked, string> {
    const { id, protocol, template, cacheBy } = this.#question;
    const document = documentOf(template, exchange);
    if (!document.ok) return document;
    const asked = batched(document.value, protocol);
    if (!asked.ok) return asked;
    const body = JSON.stringify(asked.value.document);
    if (body.length > DEFAULTS.decisionQuestionCharsMax) return err(`a question of ${body.length} characters`);
    if (cacheBy === null) return ok({ url: asked.value.url, body, key: hash("sha256", body, "base64url") });
    const values = cacheBy.map(({ read }) => read(exchange));
    if (values.includes(AMBIGUOUS)) return err("an attribute of 'cache' has no single value");
    // What is absent is told apart from every text.
    const key = JSON.stringify(values.map((value) => (value === undefined ? [] : [value])));
    return ok({ url: asked.value.url, body, key: hash("sha256", `${id} ${key}`, "base64url") });
  }
}

const WORDS = {
  timeout: "no answer in time",
  crowded: "too many requests wait",
  over: "the client left",
} as const;

interface AuthzenQuestion {
  readonly resource: { readonly id: unknown };
}

/** A list of ids is one question about each of them (AuthZEN 1.0 section 7). */
function batched(document: unknown, protocol: Protocol): Result<{ url: URL; document: unknown }, string> {
  const { type, url, batchUrl } = protocol;
  if (type === "opa") return ok({ url, document });
  const { resource, ...rest } = document as AuthzenQuestion & Record<string, unknown>;
  const { id } = resource;
  if (!Array.isArray(id)) return ok({ url, document: { ...rest, resource: { ...resource, id: idText(id) } } });
  if (id.length === 0 || id.length > DEFAULTS.decisionBatchMax) {
    return err(`a list of ${id.length} ids; expected 1 to ${DEFAULTS.decisionBatchMax}`);
  }
  if (batchUrl === null) return err("a list of ids, and a 'url' that does not end in /evaluation");
  const evaluations = id.map((one) => ({ resource: { ...resource, id: idText(one) } }));
  const options = { evaluations_semantic: "execute_all" };
  return ok({ url: batchUrl, document: { ...rest, evaluations, options } });
}

/** Ids are texts; numbers of a body are written as JSON has them. */
function idText(id: unknown): string {
  return typeof id === "string" ? id : JSON.stringify(id);
}
