import type { Clock } from "../../support/clock.ts";
import { LIMIT_DEFAULTS } from "../../support/limit-defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Timers } from "../../support/timers.ts";
import type { Group } from "./group.ts";
import { linkFault, type StoreLink } from "./link.ts";
import { SCRIPT, SCRIPT_SHA1 } from "./script.ts";
import { ScriptArguments } from "./script-arguments.ts";

/** What became of a call, told once for each. */
export interface CallReports {
  /** `tookMs` from when the first of its groups was asked. */
  answered(): void;
  /** Null for one that was not answered in time. */
  failed(fault: string | null): void;
}

interface Call {
  readonly groups: Group[];
  isLate: boolean;
}

/**
 * Sends groups to a store: all that are asked in one turn of the event loop go in one call of the script, or, to a cluster,
 * in one for each slot. Calls under way and groups that wait are bounded, and each group has its deadline.
 */
export class ScriptCalls {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #reports: CallReports;
  readonly #isCluster: boolean;
  #link: StoreLink | null = null;
  /** Until the first connection stands or failed; who asks waits for it. */
  #isOpening = true;
  /** By the hash tag of the keys for a cluster; under one name for a single store. */
  #waiting = new Map<string, Group[]>();
  #waitingGroups = 0;
  #isFlushDue = false;
  readonly #underWay = new Set<Call>();
  #cancelDeadline: (() => void) | null = null;
  /** The store's clock less this process's monotonic one, milliseconds. */
  #offsetMs: number;

  constructor(clock: Clock, timers: Timers, isCluster: boolean, reports: CallReports) {
    this.#clock = clock;
    this.#timers = timers;
    this.#isCluster = isCluster;
    this.#reports = reports;
    this.#offsetMs = clock.wallMs() - clock.monotonicMs();
  }

  /** Null: there is none, and whoever waits is told. */
  useLink(link: StoreLink | null): void {
    this.#link = link;
    this.#isOpening = false;
    if (link !== null) this.#flush();
    else for (const group of this.#takeWaiting()) group.fail();
  }

  ask(group: Group): void {
    if ((this.#link === null && !this.#isOpening) || this.#waitingGroups >= LIMIT_DEFAULTS.storeGroupsMax) {
      group.fail();
      return;
    }
    const tag = this.#isCluster ? tagOf(group.keys[0] ?? "") : "";
    const others = this.#waiting.get(tag);
    if (others === undefined) this.#waiting.set(tag, [group]);
    else others.push(group);
    this.#waitingGroups++;
    this.#watchDeadline(group.deadlineMs);
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    // Who is alone need not wait for others; where calls are under way, those of the whole turn go together.
    if (this.#underWay.size === 0) process.nextTick(this.#flushDue);
    else setImmediate(this.#flushDue);
  }

  readonly #flushDue = (): void => {
    this.#isFlushDue = false;
    this.#flush();
  };

  #flush(): void {
    while (this.#link !== null && this.#underWay.size < LIMIT_DEFAULTS.storeCallsMax) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [tag, groups] = next;
      const batch = groups.splice(0, LIMIT_DEFAULTS.storeGroupsPerCall);
      if (groups.length === 0) this.#waiting.delete(tag);
      this.#waitingGroups -= batch.length;
      void this.#call(this.#link, batch);
    }
  }

  async #call(link: StoreLink, groups: Group[]): Promise<void> {
    const call: Call = { groups, isLate: false };
    this.#underWay.add(call);
    const reply = await this.#send(link, groups);
    this.#underWay.delete(call);
    if (!call.isLate) this.#settle(call, reply);
    this.#flush();
  }

  #settle({ groups }: Call, reply: Result<readonly number[], string>): void {
    if (!reply.ok) {
      this.#reports.failed(reply.error);
      for (const group of groups) group.fail();
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    this.#offsetMs = (reply.value[0] ?? 0) / 1000 - nowMs;
    this.#reports.answered();
    let at = 1;
    for (const group of groups) {
      group.read(reply.value, at);
      at += group.answers;
    }
  }

  async #send(link: StoreLink, groups: readonly Group[]): Promise<Result<readonly number[], string>> {
    const keys = groups.flatMap((group) => group.keys);
    const isPlain = groups.every((group) => group.isPlain);
    const script = new ScriptArguments(this.#clock.monotonicMs() + this.#offsetMs, isPlain);
    for (const group of groups) group.write(script);
    const rest = [String(keys.length), ...keys, ...script.argv];
    const first = keys[0] ?? "";
    try {
      return whole(await link.send(first, ["EVALSHA", SCRIPT_SHA1, ...rest]), groups);
    } catch (error) {
      const fault = linkFault(error);
      if (!fault.startsWith("NOSCRIPT")) return err(fault);
    }
    try {
      return whole(await link.send(first, ["EVAL", SCRIPT, ...rest]), groups);
    } catch (error) {
      return err(linkFault(error));
    }
  }

  #watchDeadline(deadlineMs: number): void {
    if (this.#cancelDeadline !== null) return;
    this.#cancelDeadline = this.#timers.after(Math.max(0, deadlineMs - this.#clock.monotonicMs()), () => {
      // After a long turn of the loop the answer may be here already, and unread.
      setImmediate(() => {
        this.#cancelDeadline = null;
        this.#expire();
      });
    });
  }

  /** Deadlines differ little, so one timer is set for the first and looks for the next. */
  #expire(): void {
    const nowMs = this.#clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    const late = (group: Group): boolean => {
      if (group.deadlineMs > nowMs) nextMs = Math.min(nextMs, group.deadlineMs);
      return group.deadlineMs <= nowMs;
    };
    for (const call of this.#underWay) {
      if (call.isLate || !call.groups.some(late)) continue;
      call.isLate = true;
      this.#reports.failed(null);
      for (const group of call.groups) group.fail();
    }
    for (const [tag, groups] of this.#waiting) {
      const kept = groups.filter((group) => !late(group));
      this.#waitingGroups -= groups.length - kept.length;
      if (kept.length === 0) this.#waiting.delete(tag);
      else this.#waiting.set(tag, kept);
      for (const group of groups) if (group.deadlineMs <= nowMs) group.fail();
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#watchDeadline(nextMs);
  }

  #takeWaiting(): readonly Group[] {
    const groups = [...this.#waiting.values()].flat();
    this.#waiting = new Map();
    this.#waitingGroups = 0;
    return groups;
  }
}

function whole(reply: unknown, groups: readonly Group[]): Result<readonly number[], string> {
  const expected = 1 + groups.reduce((sum, group) => sum + group.answers, 0);
  const isWhole =
    Array.isArray(reply) && reply.length === expected && reply.every((value) => typeof value === "number");
  return isWhole ? ok(reply) : err("an answer that is none of the script's");
}

/** What stands in the first braces: keys with the same lie in one slot of a cluster. */
export function tagOf(key: string): string {
  return key.slice(key.indexOf("{") + 1, key.indexOf("}"));
}
