import { ladderChecks, targetName, targetsOf } from "../policy/ladder-checks.ts";
import { type LadderStep, modeOf } from "../policy/ladder-step.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { AdminAct, AdminAnswer, AdminRefusal } from "../resources/admin-room.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import { err, ok, type Result } from "../support/result.ts";
import { choiceOf, mode as modeSchema } from "../support/schema.ts";
import type { Timers } from "../support/timers.ts";
import { parseDurationMs } from "../support/units.ts";
import type { EventLog } from "../telemetry/event-log.ts";
import { problemText } from "./reload.ts";
import type { Overlaid, StepChange, StepsSet, StepWay } from "./step-change.ts";

export interface LadderStepsDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: EventLog;
  /** As the file has it; null before the first. */
  readonly base: () => Snapshot | null;
  /** With the steps that are set. */
  readonly inForce: () => Snapshot | null;
  /** Puts other steps over the policy in force; why not, where nothing has changed. */
  readonly relay: (change: StepChange) => Promise<Result<null, string>>;
  /** How many are set, for the metrics. */
  readonly onCount: (steps: number) => void;
}

/** A step that is set, while it lasts. */
interface SetStep extends LadderStep {
  /** What it was asked for by, so that it ends by the same. */
  readonly asked: string;
  /** What the policy says; an edit may say otherwise. */
  was: number;
  readonly routes: readonly string[];
  readonly sinceMs: number;
  readonly untilMs: number;
  /** By the clock that never goes back. */
  readonly endsMs: number;
}

/** What somebody asks for, before it is known where it stands. */
interface Wish extends LadderStep {
  readonly asked: string;
  readonly forMs: number;
}

/** Why a step ended; null where somebody asked. */
type Why = string | null;
type WhyOf = (step: SetStep) => Why;

/**
 * Steps of the ladder that somebody has set for a while: the policy is compiled with them once more, after each reload too, and
 * without them when their time is over. They live in memory.
 */
export class LadderSteps implements StepsSet {
  readonly #deps: LadderStepsDeps;
  #set: readonly SetStep[] = [];
  /** The newest of those that refuse more than what they stand in place of. */
  #raised: SetStep | null = null;
  #cancel: (() => void) | null = null;
  #isStopped = false;

  constructor(deps: LadderStepsDeps) {
    this.#deps = deps;
  }

  get shown(): readonly JsonObject[] {
    return this.#set.map(shownStep);
  }

  readonly acts: Readonly<Record<"set" | "unset" | "clear", AdminAct>> = {
    set: (settings) => this.#setOne(settings),
    unset: (settings) => this.#unset(settings),
    clear: () =>
      this.#end(
        () => true,
        () => null,
      ),
  };

  async over(
    base: Snapshot,
    compile: (steps: readonly LadderStep[]) => Promise<Result<Snapshot, readonly Problem[]>>,
  ): Promise<Overlaid> {
    if (this.#set.length === 0) return { snapshot: base, settle: () => {} };
    const compiled = await compile(this.#set);
    const why = compiled.ok ? "" : `the policy does not compile with it: ${compiled.error.map(problemText)[0]}`;
    if (!compiled.ok) return { snapshot: base, settle: () => this.#follow([], () => why) };
    const { value: snapshot } = compiled;
    // It was higher than the policy before had it, and an edit has raised that beyond it.
    if (lowersWhoIsLetIn(changesOf(base, snapshot)))
      return {
        snapshot: base,
        settle: () => this.#follow([], () => "the policy asks more of 'authenticate' than it does"),
      };
    const laid = new Map(snapshot.steps.map(({ step, was }) => [step, was]));
    return {
      snapshot,
      settle: () => {
        for (const step of this.#set) step.was = laid.get(step) ?? step.was;
        this.#follow(
          this.#set.filter((one) => laid.has(one)),
          () => "the policy has the check no more",
        );
      },
    };
  }

  /** The step that was raised last denies what it should not. */
  takeBack(why: string): void {
    const raised = this.#raised;
    void this.#end(
      (one) => one === raised,
      () => why,
    );
  }

  rolledBack(): void {
    this.#follow([], () => "the policy was taken back");
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  async #setOne(settings: JsonObject): Promise<AdminAnswer> {
    const wish = this.#wishOf(settings);
    if (!wish.ok) return wish;
    const outcome: { made: SetStep | null; way: StepWay } = { made: null, way: "lowers" };
    const done = await this.#deps.relay({
      steps: () => [...this.#set, wish.value],
      fault: (laid) => {
        const found = this.#judged(wish.value, laid);
        if (!found.ok) return found.error;
        outcome.made = found.value;
        outcome.way = this.#raises(laid) ? "raises" : "lowers";
        return null;
      },
      way: () => outcome.way,
      done: () => {
        const { made } = outcome;
        if (made === null) return;
        if (outcome.way === "raises") this.#raised = made;
        const name = nameOf(made);
        this.#set = [...this.#set.filter((one) => nameOf(one) !== name), made];
        this.#tell("set", made, null);
        this.#changed();
      },
    });
    if (!done.ok) return err({ status: 409, text: done.error });
    return outcome.made === null ? err({ status: 409, text: "nothing was set" }) : ok(shownStep(outcome.made));
  }

  #wishOf({ check, mode, for: time = "1h" }: JsonObject): Result<Wish, AdminRefusal> {
    const refuse = (text: string, status: AdminRefusal["status"] = 400) => err({ status, text });
    const snapshot = this.#deps.inForce();
    if (snapshot === null) return refuse("no policy is in force yet", 409);
    if (typeof check !== "string") return refuse("expected 'check', as 'postern ladder' names it");
    const read = modeSchema.safeParse(typeof mode === "string" && mode.endsWith("%") ? { enforce: mode } : mode);
    if (!read.success) return refuse("expected 'mode' off, audit, enforce, or a share of callers, as in 5%");
    const ms = typeof time === "string" ? parseDurationMs(time) : err("expected 'for' as a duration, as in 1h");
    if (!ms.ok) return refuse(ms.error);
    if (ms.value < DEFAULTS.ladderStepMsMin || ms.value > DEFAULTS.ladderStepMsMax)
      return refuse("expected 'for' of 1s to 24h; what is to last longer stands in the policy");
    const targets = targetsOf(snapshot, check);
    const [target] = targets;
    if (target === undefined) return refuse(`the policy has no check '${check}'; 'postern ladder' lists some`, 404);
    if (targets.length > 1) return refuse(`'${check}' is several checks: ${choiceOf(targets.map(targetName))}`, 409);
    return ok({ asked: check, target, percent: read.data, forMs: ms.value });
  }

  /** What a step makes of the policy in force, as `laid` has it; why it is not to be. */
  #judged(wish: Wish, laid: Snapshot): Result<SetStep, string> {
    const { asked, percent, forMs } = wish;
    const { at, was } = laid.steps.find((one) => one.step === wish) ?? {};
    const [base, now] = [this.#deps.base(), this.#deps.inForce()];
    const name = targetName(wish.target);
    if (at === undefined || was === undefined || base === null || now === null)
      return err(`${name} has no 'mode' in the policy; 'postern ladder' and lines of the log name what has one`);
    const { clock } = this.#deps;
    const times = {
      sinceMs: clock.wallMs(),
      untilMs: clock.wallMs() + forMs,
      endsMs: clock.monotonicMs() + forMs,
    };
    const changed = changesOf(now, laid);
    const older = this.#set.find((one) => nameOf(one) === targetName(at));
    if (older === undefined && this.#set.length >= DEFAULTS.ladderStepsMax)
      return err(`${DEFAULTS.ladderStepsMax} steps are set; 'unset' ends one`);
    if (changed.length === 0) {
      return older === undefined ? err(`${name} is on this step already`) : ok({ ...older, asked, ...times });
    }
    const written = changesOf(base, laid).filter(({ key }) => changed.some((one) => one.key === key));
    if (lowersWhoIsLetIn(written)) {
      return err("'authenticate' is not lowered here: who is let in without a credential stands in the policy alone");
    }
    const routes = [...new Set(changed.flatMap(({ route }) => route ?? []))];
    return ok({ asked, target: at, percent, was, routes, ...times });
  }

  /** Whether some are refused by it who are not by now. */
  #raises(laid: Snapshot): boolean {
    const now = this.#deps.inForce();
    return now !== null && changesOf(now, laid).some(({ percent, was }) => percent > was);
  }

  async #unset({ check }: JsonObject): Promise<AdminAnswer> {
    if (typeof check !== "string") return err({ status: 400, text: "expected 'check', as 'set' was given it" });
    const snapshot = this.#deps.inForce();
    const targets = snapshot === null ? [] : targetsOf(snapshot, check).map(targetName);
    const isMeant = (one: SetStep): boolean =>
      one.asked === check || nameOf(one) === check || targets.includes(nameOf(one));
    if (!this.#set.some(isMeant)) return err({ status: 404, text: `no step is set for '${check}'` });
    return this.#end(isMeant, () => null);
  }

  /** Asked when its turn has come: a step may have been renewed while another change was made. */
  async #end(isMeant: (step: SetStep) => boolean, why: WhyOf): Promise<AdminAnswer> {
    let ended: readonly string[] = [];
    const rest = () => this.#set.filter((one) => !isMeant(one));
    const done = await this.#deps.relay({
      steps: rest,
      fault: () => null,
      way: () => "ends",
      done: () => {
        ended = this.#set.filter(isMeant).map(nameOf);
        this.#follow(rest(), why);
      },
    });
    return done.ok ? ok({ ended }) : err({ status: 409, text: done.error });
  }

  /** Whose time is over ends, and where the others cannot go on without it, they end as well: none lasts longer than it was to. */
  async #endLate(): Promise<void> {
    const nowMs = this.#deps.clock.monotonicMs();
    const late = this.#set.filter(({ endsMs }) => endsMs <= nowMs);
    const isLate = (one: SetStep): boolean => late.includes(one);
    const done = late.length === 0 ? ok({}) : await this.#end(isLate, () => LATE);
    if (done.ok) this.#wait();
    else {
      const { text } = done.error;
      const why = (step: SetStep): string =>
        isLate(step) ? LATE : `another step is over, and this one cannot stay: ${text}`;
      const all = await this.#end(() => true, why);
      if (!all.ok && !this.#isStopped) this.#stays(all.error.text);
    }
  }

  #follow(rest: readonly SetStep[], why: WhyOf): void {
    if (rest.length === this.#set.length) return;
    for (const step of this.#set) if (!rest.includes(step)) this.#tell("ended", step, why(step));
    this.#set = rest;
    this.#changed();
  }

  #changed(): void {
    this.#deps.onCount(this.#set.length);
    this.#wait();
  }

  /** Nothing that ends it works now; something else may have changed by the next try. */
  #stays(why: string): void {
    const fields = { state: "stays", check: this.#set.map(nameOf).join(", "), why };
    this.#deps.log.error(
      "ladder_step",
      "time is over, and the policy cannot be put in force without its steps",
      fields,
    );
    this.#wait(DEFAULTS.ladderRetryMs);
  }

  #wait(leastMs = 0): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#set.length === 0 || this.#isStopped) return;
    const waitMs = Math.min(...this.#set.map(({ endsMs }) => endsMs)) - this.#deps.clock.monotonicMs();
    this.#cancel = this.#deps.timers.after(Math.max(leastMs, waitMs), () => void this.#endLate());
  }

  #tell(state: "set" | "ended", step: SetStep, why: Why | null): void {
    const { check, mode, was, until, routes } = shownStep(step);
    const fields = { state, check, mode, was, until, routes, why };
    if (state === "set") this.#deps.log.warn("ladder_step", "a check stands on another step for a while", fields);
    else if (why !== null && why !== LATE)
      this.#deps.log.warn("ladder_step", "the check stands where the policy has it, before its time", fields);
    else this.#deps.log.info("ladder_step", "the check stands where the policy has it", fields);
  }
}

const LATE = "its time is over";

/** One check has one step. */
function nameOf({ target }: SetStep): string {
  return targetName(target);
}

function shownStep({ target, percent, was, routes, sinceMs, untilMs }: SetStep): JsonObject {
  const listed = routes.slice(0, DEFAULTS.ladderRoutesListedMax);
  return {
    check: targetName(target),
    mode: stepText(percent),
    was: stepText(was),
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    routes: listed,
    moreRoutes: routes.length - listed.length,
  };
}

/** `audit`, `enforce: 5%`. */
export function stepText(percent: number): string {
  const mode = modeOf(percent);
  return typeof mode === "string" ? mode : `enforce: ${mode.enforce}`;
}

interface Changed {
  readonly key: string;
  readonly check: string;
  readonly route: string | null;
  readonly was: number;
  readonly percent: number;
}

/** Checks that two compilations of one policy have on different steps. */
function changesOf(before: Snapshot, after: Snapshot): readonly Changed[] {
  const old = new Map(percentsOf(before).map((one) => [one.key, one.percent]));
  return percentsOf(after).flatMap(({ key, check, route, percent }) => {
    const was = old.get(key);
    return was === undefined || was === percent ? [] : [{ key, check, route, was, percent }];
  });
}

function lowersWhoIsLetIn(changes: readonly Changed[]): boolean {
  return changes.some(({ check, percent, was }) => check === "authenticate" && percent < was);
}

/** One place may have several checks of a name, as the answers' rules of two modes: the lowest counts. */
function percentsOf(snapshot: Snapshot): readonly Omit<Changed, "was">[] {
  const all = new Map<string, Omit<Changed, "was">>();
  for (const { check, route } of ladderChecks(snapshot)) {
    const { file, path } = check.place;
    const key = JSON.stringify([check.name, file, path, route === null ? null : snapshot.routeList.indexOf(route)]);
    const percent = Math.min(check.enforcePercent, all.get(key)?.percent ?? check.enforcePercent);
    all.set(key, { key, check: check.name, route: route?.template ?? null, percent });
  }
  return [...all.values()];
}
