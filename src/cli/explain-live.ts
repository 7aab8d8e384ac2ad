import { setTimeout as sleep } from "node:timers/promises";
import type { DecisionFacts } from "../records/decision-facts.ts";
import { readFacts } from "../records/read-facts.ts";
import { decisionExplanation } from "../rehearsal/decision-steps.ts";
import { explanationText } from "../rehearsal/explanation.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { painter } from "../support/paint.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type AdminTarget, type AdminValues, adminTarget, askAdmin } from "./admin-client.ts";
import { listOf, memberOf } from "./admin-list.ts";
import { type Command, type CommandIo, EXIT, misuse } from "./command.ts";

/** What of a running postern is to be told. */
export type LiveQuestion =
  | { readonly kind: "decision"; readonly id: string }
  | { readonly kind: "next"; readonly condition: string }
  | { readonly kind: "watch" };

export interface LiveOptions extends AdminValues {
  readonly json: boolean;
  /** How long `next` and `watch` go on, in milliseconds; Infinity for `watch` without end. */
  readonly forMs: number;
}

/** What the id of a decision looks like: nothing that begins a request does. */
export const DECISION_ID = /^[\w-]{8}-[0-9a-z]{1,12}$/;

/** How often a running instance is asked whether there is something new. */
const POLL_MS = 250;

/** Asks the instance behind the admin port, and tells what it knows. The exit code. */
export async function explainLive(
  command: Command,
  question: LiveQuestion,
  options: LiveOptions,
  io: CommandIo,
): Promise<number> {
  const target = await adminTarget(options, io);
  if (!target.ok) {
    if (target.error.isMisuse) return misuse(command, target.error.text, io);
    return fail(target.error.text, io);
  }
  switch (question.kind) {
    case "decision": {
      const found = await ask(target.value, `/decisions?id=${encodeURIComponent(question.id)}`);
      return found.ok ? tell(memberOf(found.value, "decision"), options, io) : fail(found.error, io);
    }
    case "next":
      return next(target.value, question.condition, options, io);
    case "watch":
      return watch(target.value, options, io);
  }
}

async function ask(target: AdminTarget, path: string): Promise<Result<unknown, string>> {
  const answer = await askAdmin(target, "GET", path);
  if (answer.ok) return answer;
  const { status, text } = answer.error;
  const isNowhere = status === 404 && text.startsWith("there are ");
  return err(isNowhere ? "this postern keeps no decisions: its policy has 'decisions: off'" : text);
}

function tell(decision: unknown, { json }: LiveOptions, io: CommandIo): number {
  const facts = readFacts(decision);
  if (!facts.ok) return fail(`the answer is no decision: ${facts.error}`, io);
  io.stdout(
    json
      ? `${JSON.stringify(facts.value)}\n`
      : explanationText(decisionExplanation(facts.value), painter(io.colour === true)),
  );
  return facts.value.verdict === "allow" ? EXIT.fine : EXIT.problems;
}

/** Arms a trace, and waits for the request that meets it. */
async function next(target: AdminTarget, condition: string, options: LiveOptions, io: CommandIo): Promise<number> {
  const forMs = Math.min(options.forMs, DEFAULTS.traceMsMax);
  const armed = await askAdmin(target, "POST", "/decisions/trace", { condition, seconds: forMs / 1000 });
  if (!armed.ok) return fail(armed.error.text, io);
  const ticket = String(memberOf(armed.value, "trace"));
  if (!options.json) io.stderr(`waiting at most ${forMs / 1000} s for a request that meets it\n`);
  const untilMs = io.clock.monotonicMs() + forMs + POLL_MS;
  while (io.clock.monotonicMs() < untilMs) {
    const state = await ask(target, `/decisions?trace=${encodeURIComponent(ticket)}`);
    if (!state.ok) return fail(state.error, io);
    const word = memberOf(state.value, "state");
    if (word === "found") return tell(memberOf(state.value, "decision"), options, io);
    if (word !== "waiting") break;
    await sleep(POLL_MS);
  }
  return fail("no request met it in time", io);
}

/** Denials as they come, from now on. */
async function watch(target: AdminTarget, options: LiveOptions, io: CommandIo): Promise<number> {
  const untilMs = io.clock.monotonicMs() + options.forMs;
  let last = await newest(target);
  if (last.ok && !options.json) io.stderr("watching for denials\n");
  while (last.ok && io.clock.monotonicMs() < untilMs) {
    const answer = await ask(target, `/decisions?which=denied&after=${last.value}`);
    if (!answer.ok) return fail(answer.error, io);
    for (const one of listOf(answer.value, "decisions")) {
      const facts = readFacts(one);
      if (facts.ok) io.stdout(options.json ? `${JSON.stringify(facts.value)}\n` : denialLine(facts.value));
    }
    last = ok(Number(memberOf(answer.value, "last")));
    await sleep(POLL_MS);
  }
  return last.ok ? EXIT.fine : fail(last.error, io);
}

async function newest(target: AdminTarget): Promise<Result<number, string>> {
  const answer = await ask(target, "/decisions?which=denied&after=999999999999999");
  return answer.ok ? ok(Number(memberOf(answer.value, "last"))) : answer;
}

/** One line a denial: when, which, what was asked by whom, and why not. */
function denialLine({ atMs, id, status, method, path, principal, client, reason, denial }: DecisionFacts): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  const who = principal === null ? client : `${principal.authenticator}/${principal.id}`;
  const why = denial === null ? "" : `: ${denial.seen}; wanted ${denial.wanted}`;
  const where = denial?.place == null ? "" : `  ${denial.place}`;
  return `${time}  ${id}  ${status} ${method} ${path}  ${who}  ${reason}${why}${where}\n`;
}

function fail(text: string, io: CommandIo): number {
  io.stderr(`postern explain: ${text}\n`);
  return EXIT.problems;
}
