import { Denial } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import type { AnswerFacts } from "../message/taken.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import type { PolicyTest, TestStep } from "../policy/tests/policy-test.ts";
import { countFailure, countSuspicion, faultDenial } from "../proxy/noted-judgement.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Result } from "../support/result.ts";
import type { Timers } from "../support/timers.ts";
import { Turns } from "../support/turns.ts";
import { type Coverage, CoverageNotes } from "./coverage.ts";
import { asksForCertificates } from "./described-request.ts";
import { type Difference, differencesOf, sentOf, unreadable, type Verdict, verdictOf } from "./differences.ts";
import { explanationOf, type Judgement, rehearse, withRefusedAnswer } from "./explain.ts";
import { type Explanation, explanationText, showing } from "./explanation.ts";
import { inTestTime } from "./in-test-time.ts";
import type { ClientAnswer } from "./rehearsed-answer.ts";
import type { Answered } from "./test-answer.ts";
import { exchangeOf, type TestExchange } from "./test-request.ts";
import type { TestWorld } from "./test-world.ts";
import { unknownCaller } from "./unknown-caller.ts";

export interface TestDeps {
  /** The real one. */
  readonly clock: Clock;
  readonly timers: Timers;
  /** Content of a file that a test names. */
  readonly readFile: (name: string) => Result<Buffer, string>;
  /** How long the tests may hold the thread at a stretch. */
  readonly sliceMs?: number;
  /** When no further request is asked, from now. */
  readonly budgetMs?: number;
  /** Hears before each test how many are done. */
  readonly onTest?: (done: number, all: number) => void;
}

/** `todo`: it may fail, and did. `done`: it may fail, and did not. */
export type TestOutcome = "passed" | "failed" | "todo" | "done";

export interface TestResult {
  readonly test: PolicyTest;
  readonly outcome: TestOutcome;
  /** Null where nothing is other than expected. */
  readonly failure: TestFailure | null;
  readonly ms: number;
}

export interface TestFailure {
  /** `step 2, request 3`, where a test has several; else empty. */
  readonly where: string;
  readonly differences: readonly Difference[];
  /** Null where there was no request to judge. */
  readonly explanation: Explanation | null;
}

export interface TestReport {
  readonly results: readonly TestResult[];
  /** For which no time was left. */
  readonly left: number;
  readonly coverage: Coverage;
  readonly ms: number;
}

/** Runs tests one after the other, each from the same beginning. Never throws for anything a policy can say. */
export async function runTests(world: TestWorld, tests: readonly PolicyTest[], deps: TestDeps): Promise<TestReport> {
  const { clock, sliceMs = Number.POSITIVE_INFINITY, budgetMs = Number.POSITIVE_INFINITY } = deps;
  const beganMs = clock.monotonicMs();
  const nowMs = clock.wallMs();
  const run = new Run(world, deps, { turns: new Turns(clock, sliceMs), endMs: beganMs + budgetMs });
  const results: TestResult[] = [];
  for (const test of tests) {
    deps.onTest?.(results.length, tests.length);
    const atMs = clock.monotonicMs();
    world.begin(test.atMs ?? nowMs);
    const failure = await run.test(test);
    if (failure === "late") break;
    results.push({ test, outcome: outcomeOf(test, failure), failure, ms: clock.monotonicMs() - atMs });
  }
  const left = tests.length - results.length;
  return { results, left, coverage: run.coverage.result(), ms: clock.monotonicMs() - beganMs };
}

function outcomeOf({ isTodo }: PolicyTest, failure: TestFailure | null): TestOutcome {
  if (failure === null) return isTodo ? "done" : "passed";
  return isTodo ? "todo" : "failed";
}

/** What is told where something of the service's answer is expected, and the test gives none. */
const NO_ANSWER: Difference = { what: "answer", expected: "one of the service's, under 'answer'", found: "none" };

const LATE = "it is not known in time what comes of the answer";

/** What is told of a request whose verdict did not come. */
const NO_VERDICT = new Denial("internal_error", null, "no verdict", `one within ${DEFAULTS.testVerdictMs} ms`);

/** How long all tests may take together, and at a stretch. */
interface Pace {
  readonly turns: Turns;
  /** By the real clock. */
  readonly endMs: number;
}

class Run {
  readonly coverage: CoverageNotes;
  readonly #world: TestWorld;
  readonly #deps: TestDeps;
  readonly #pace: Pace;

  constructor(world: TestWorld, deps: TestDeps, pace: Pace) {
    this.#pace = pace;
    this.coverage = new CoverageNotes(world.snapshot);
    this.#world = world;
    this.#deps = deps;
  }

  /** The first request that is not met; null where all are; `late` where no time was left for all of them. */
  async test({ steps, concealed }: PolicyTest): Promise<TestFailure | "late" | null> {
    const { turns, endMs } = this.#pace;
    const show = (text: string): string => concealed.in(this.#world.concealed.in(text));
    for (const [at, step] of steps.entries()) {
      this.#world.time.pass(step.afterMs);
      for (let nth = 1; nth <= step.times; nth++) {
        // One test can be a million requests: each is where others have their turn, and where the time ends.
        if (turns.due) await turns.give();
        if (this.#deps.clock.monotonicMs() >= endMs) return "late";
        const failure = await this.#request(step, show).catch(defect);
        if (failure === null) continue;
        const where = [
          ...(steps.length > 1 ? [`step ${at + 1}`] : []),
          ...(step.times > 1 ? [`request ${nth} of ${step.times}`] : []),
        ];
        const differences = failure.differences.map(({ what, expected, found }) => ({
          what,
          expected: show(expected),
          found: show(found),
        }));
        return { ...failure, differences, where: where.join(", ") };
      }
    }
    return null;
  }

  async #request(step: TestStep, show: (text: string) => string): Promise<TestFailure | null> {
    const { snapshot, time } = this.#world;
    const made = await exchangeOf(step, snapshot, time.wallMs(), this.#deps.readFile);
    if (!made.ok)
      return unmade(step, made.error.reason === null ? null : unreadable(made.error.reason), made.error.text);
    const { exchange, listener } = made.value;
    const rehearsal = await rehearse(snapshot, listener, exchange, {
      onCheck: (check, verdict) => this.coverage.noteCheck(check, verdict !== null),
      awaitOutcome: (outcome) => inTestTime(outcome, NO_VERDICT, this.#world.time, this.#deps.timers),
    });
    const { subject = null, outcome = null } = rehearsal.judged ?? {};
    if (subject?.route != null) this.coverage.noteRoute(subject.route);
    const sent = step.expect.upstream === undefined ? null : sentOf(subject, outcome);
    if (subject !== null && outcome instanceof Denial) countFailure(subject, outcome);
    if (subject !== null) countSuspicion(subject);
    const answered = rehearsal.judged === null ? null : await this.#answer(step, rehearsal.judged);
    if (typeof answered === "string") return unmade(step, null, answered);
    const client = answered?.client ?? null;
    const verdict = verdictOf(subject, outcome, client);
    const differences = [
      ...differencesOf(step.expect, verdict, sent),
      ...callerDifferences(step, made.value, snapshot),
    ];
    const others =
      differences.length > 0 || step.expect.answer === undefined
        ? []
        : (answered?.differences(step.expect, exchange, show) ?? [NO_ANSWER]);
    const all = [...differences, ...others];
    const told = client?.denial == null ? rehearsal : withRefusedAnswer(rehearsal, client.denial);
    const explanation = all.length === 0 ? null : showing(explanationOf(told, exchange, snapshot, false), show);
    end(exchange, verdict, client, outcome instanceof Denial);
    return all.length === 0 ? null : { where: "", differences: all, explanation };
  }

  /** What the client gets, where that is asked for and known; what is wrong with the test, where that is all. */
  async #answer(step: TestStep, { subject, outcome }: Judgement): Promise<Answered | string | null> {
    if (step.answer === null && step.expect.answer === undefined) return null;
    const { answerOf } = await import("./test-answer.ts");
    const { readFile } = this.#deps;
    const pending = answerOf(step.answer, subject, outcome, {
      clock: this.#world.time,
      memory: this.#world.memory,
      onCheck: (check) => this.coverage.noteAnswerCheck(check),
      readFile,
    });
    return inTestTime(pending, LATE, this.#world.time, this.#deps.timers);
  }
}

/** Somebody who does not exist is denied whatever the policy says; who means that says by which reason. */
function callerDifferences(
  { expect, as }: TestStep,
  { exchange: { assumed }, listener }: TestExchange,
  snapshot: Snapshot,
): readonly Difference[] {
  if (expect.deny !== true) return [];
  const hasCertificate = as !== "nobody" && as.certificate !== undefined;
  const unasked = hasCertificate && !asksForCertificates(listener);
  const unknown = assumed === null ? null : unknownCaller(assumed, snapshot);
  const found = unasked ? `listener '${listener.name}' asks for no certificate` : unknown;
  return found === null ? [] : [{ what: "as", expected: "a caller that the policy knows", found }];
}

/** Limits give back what lasts as long as a request. */
function end(exchange: Exchange, { status }: Verdict, answer: ClientAnswer | null, isDenied: boolean): void {
  const facts: AnswerFacts = {
    status: status ?? 200,
    callOutcome: answer?.callOutcome ?? "none",
    requestBodyBytes: exchange.body.announcedBytes > 0 ? exchange.body.announcedBytes : 0,
    responseBodyBytes: answer?.body.length ?? 0,
    upstreamMs: isDenied ? -1 : 0,
    denied: isDenied,
  };
  exchange.settle(facts);
  exchange.end();
}

function unmade({ expect }: TestStep, verdict: Verdict | null, text: string): TestFailure | null {
  const differences =
    verdict === null
      ? [{ what: "request", expected: "one that can be made", found: text }]
      : differencesOf(expect, verdict, null);
  return differences.length === 0 ? null : { where: "", differences, explanation: null };
}

/** A fault of ours in a check is one of the test's differences, as it would be a denial. */
function defect(error: unknown): TestFailure {
  const { seen } = faultDenial(error);
  const difference = { what: "request", expected: "a verdict", found: `internal error: ${seen}` };
  return { where: "", differences: [difference], explanation: null };
}

/** One line: what is other than expected. */
export function failureLine({ where, differences }: TestFailure): string {
  const texts = differences.map(({ what, expected, found }) =>
    what === "outcome" ? `expected ${expected}; got ${found}` : `${what}: expected ${expected}; got ${found}`,
  );
  return `${where === "" ? "" : `${where}: `}${texts.join("; ")}`;
}

/** The lines of a diff, and behind them what `explain` tells of the request. */
export function failureText({ where, differences, explanation }: TestFailure): string {
  const lines = differences.flatMap(({ what, expected, found }) => {
    const name = what === "outcome" ? "" : `${what}: `;
    return [`- ${name}${expected}\n`, `+ ${name}${found}\n`];
  });
  const head = where === "" ? "" : `${where}:\n`;
  return `${head}${lines.join("")}${explanation === null ? "" : explanationText(explanation)}`;
}
