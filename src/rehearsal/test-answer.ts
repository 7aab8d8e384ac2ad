import { Denial } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Expectation } from "../policy/tests/expect-section.ts";
import type { TestAnswer } from "../policy/tests/request-section.ts";
import { OwnAnswer } from "../proxy/own-page.ts";
import type { Outcome, Subject } from "../proxy/pipeline.ts";
import { answerDifferences } from "./answer-differences.ts";
import type { Difference } from "./differences.ts";
import { type AnswerDeps, type ClientAnswer, rehearseAnswer, rehearseOwnAnswer } from "./rehearsed-answer.ts";
import { describedMessage, type ReadBeside } from "./test-request.ts";

/** The end of a judged request, as its client sees it. */
export class Answered {
  readonly client: ClientAnswer;
  /** Body of the service's answer; empty where it gave none. */
  readonly #given: Buffer;

  constructor(client: ClientAnswer, given: Buffer) {
    this.client = client;
    this.#given = given;
  }

  /** `show`: what is shown of a text. */
  differences(expect: Expectation, exchange: Exchange, show: (text: string) => string): readonly Difference[] {
    return answerDifferences(expect, this.client, this.#given, exchange, show);
  }
}

/**
 * What the client gets: of the answer that the test gives, or in its place. Null where the request is passed on and no answer
 * is given; a text where none can be made of what is given.
 */
export async function answerOf(
  answer: TestAnswer | null,
  subject: Subject,
  outcome: Outcome,
  { readFile, ...deps }: AnswerDeps & { readonly readFile: ReadBeside },
): Promise<Answered | string | null> {
  if (outcome instanceof Denial || outcome instanceof OwnAnswer)
    return new Answered(await rehearseOwnAnswer(subject, outcome, deps), Buffer.alloc(0));
  if (answer === null) return null;
  const message = describedMessage(answer, readFile);
  if (!message.ok) return message.error;
  const body = message.value.body ?? Buffer.alloc(0);
  const given = { status: answer.status ?? 200, headers: message.value.headers, body };
  return new Answered(await rehearseAnswer(subject, given, deps), body);
}
