import type { Steps } from "../../support/turns.ts";
import { type AnswerFacts, type BodyFacts, NO_BODY, type RequestFacts } from "../facts.ts";
import type { Facts } from "./collections.ts";
import { Finds } from "./finds.ts";
import type { Hit } from "./hit.ts";
import { PhaseRun } from "./phase-run.ts";
import type { RuleProgram } from "./program.ts";
import { Removed } from "./removed.ts";
import type { Shape } from "./shape.ts";
import type { SearchBudget, Spending } from "./spending.ts";
import { Variables } from "./variables.ts";

/** Names of TX in which rule sets keep the score that they decide by: OWASP's of version 4, then of 3. */
const SCORES = ["blocking_inbound_anomaly_score", "anomaly_score"];
const SUM_OF_ANSWERS = "outbound_anomaly_score";
const ANSWER_SCORES = ["blocking_outbound_anomaly_score", SUM_OF_ANSWERS];

/** One request on its way through the rules. Each phase is asked for once, in order, and gives others their turn. */
export class Transaction {
  readonly hits: Hit[] = [];
  /** The first rule that would deny the request. The phases that follow run all the same, for those who only look. */
  blockedBy: Hit | null = null;
  /** The first that would deny the answer. */
  answerBlockedBy: Hit | null = null;
  readonly #program: RuleProgram;
  readonly #variables: Variables;
  readonly #spending: Spending;
  readonly #removed = new Removed();
  readonly #finds: Finds;
  #sumBefore: string | null = null;
  /** Rules said that no rule is to run any more. */
  #isOff = false;
  #requestIsAllowed = false;

  constructor(program: RuleProgram, request: RequestFacts, spending: Spending, shapes: readonly Shape[]) {
    this.#program = program;
    this.#finds = new Finds(shapes);
    this.#spending = spending;
    const { bodyProcessor: processor } = request;
    const begin: Facts = { request, body: NO_BODY, answer: null, processor, engine: "on" };
    this.#variables = new Variables(begin, program.constants);
  }

  head(): Steps<void> {
    return this.#run(1);
  }

  body(body: BodyFacts): Steps<void> {
    const { facts } = this.#variables;
    facts.body = body;
    if (body.processor !== "") facts.processor = body.processor;
    return this.#run(2);
  }

  answerHead(answer: AnswerFacts): Steps<void> {
    this.#variables.facts.answer = answer;
    return this.#run(3);
  }

  /** May be asked for again, for each event of a stream: what each of them scores adds up. */
  answerBody(answer: AnswerFacts): Steps<void> {
    this.#variables.facts.answer = answer;
    this.#finds.forget(4);
    // Version 3 adds the levels' scores to this one each time that it judges, version 4 begins anew.
    this.#sumBefore ??= this.#variables.tx(SUM_OF_ANSWERS) ?? "0";
    this.#variables.write(SUM_OF_ANSWERS, this.#sumBefore);
    return this.#run(4);
  }

  /** What follows has a budget of its own: a request that spent its own hides no answer. */
  renewBudget(budget: SearchBudget): void {
    this.#spending.renew(budget);
  }

  /** How the rules want the body to be read, which may be other than the request says. */
  get processor(): string {
    return this.#variables.facts.processor;
  }

  get score(): number {
    return this.#scoreOf(SCORES);
  }

  get answerScore(): number {
    return this.#scoreOf(ANSWER_SCORES);
  }

  /** What rules wrote to TX, for whoever explains. */
  tx(name: string): string | undefined {
    return this.#variables.tx(name);
  }

  get spent(): SearchBudget {
    return this.#spending.spent;
  }

  get overBudget(): boolean {
    return this.#spending.isOver;
  }

  #scoreOf(names: readonly string[]): number {
    for (const name of names) {
      const score = this.#variables.tx(name);
      if (score !== undefined) return Number(score);
    }
    return 0;
  }

  *#run(number: number): Steps<void> {
    const phase = this.#program.phases[number - 1];
    if (phase === undefined || this.#isOff || (this.#requestIsAllowed && number <= 2)) return;
    this.#variables.forget();
    yield* this.#spending.ready();
    yield* this.#finds.search(phase.lenses, this.#variables, this.#spending);
    const { tree } = this.#program;
    const run = new PhaseRun(phase, this.#finds.of(number), tree, this.#variables, this.#spending, this.#removed);
    yield* run.steps();
    this.hits.push(...run.hits);
    if (number <= 2) this.blockedBy ??= run.blockedBy;
    else this.answerBlockedBy ??= run.blockedBy;
    if (run.end === "off" || run.end === "allow") this.#isOff = true;
    if (run.end === "allowRequest") this.#requestIsAllowed = true;
  }
}
