import type { Reason } from "../decision/reason.ts";
import { Charge } from "../memory/account.ts";
import { NOBODY } from "../memory/budget.ts";
import { KeptBook } from "../resources/kept-book.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok, type Result } from "../support/result.ts";
import { atOnce, type Steps, Turns } from "../support/turns.ts";
import { Actor } from "./actor.ts";
import { ActorTable } from "./actor-table.ts";
import { type Anomaly, type AnomalyListener, EventBook } from "./event-book.ts";
import type { Finding } from "./finding.ts";
import { judgeActor, type Suspect } from "./judge-actors.ts";
import { judgeErrors, judgeOperation, noTotals } from "./judge-operations.ts";
import { judgeService } from "./judge-service.ts";
import type { AnomalySettings } from "./kinds.ts";
import { OperationWatch } from "./operation-watch.ts";
import { ServiceWatch } from "./service-watch.ts";
import { encodeSteps, restoreSteps } from "./state-file.ts";

/** What the policy in force asks for. */
export interface InForce {
  readonly settings: AnomalySettings;
  /** Reasons of credentials that are not good. */
  readonly guesses: ReadonlySet<Reason>;
  readonly tell: AnomalyListener;
}

const ACTOR_BYTES = 2_560;
const OBJECTS_BYTES = 1_792;
const OPERATION_BYTES = 4_096;

/**
 * What is usual of a service, and what of late was not: over reloads and, with a folder, over restarts. Requests are counted as
 * they end, and judged together every few seconds.
 */
export class AnomalyBook implements Resource {
  readonly kind = "anomalies";
  readonly name = "anomalies";
  readonly events: EventBook = new EventBook();
  readonly service: ServiceWatch = new ServiceWatch();
  readonly operations: Map<string, OperationWatch> = new Map();
  readonly addresses: ActorTable<number> = new ActorTable();
  readonly callers: ActorTable<string> = new ActorTable();
  /** For hashes; kept with what was hashed. */
  seed: number;
  /** Unix milliseconds since when it learns. */
  sinceMs: number;
  /** Null until a policy that asks for it is in force. */
  inForce: InForce | null = null;
  readonly #world: ResourceWorld;
  readonly #kept: KeptBook;
  readonly #charge: Charge;
  #touched: OperationWatch[] = [];
  #suspects: Suspect[] = [];
  #isJudging = false;
  #cancel: (() => void) | null = null;

  constructor(world: ResourceWorld) {
    this.#world = world;
    this.sinceMs = world.clock.wallMs();
    this.seed = Math.floor(world.random() * 2 ** 32);
    this.#charge = new Charge(world.memory.tables, NOBODY);
    this.#kept = new KeptBook(
      {
        kind: { name: "anomalies", version: 1 },
        id: "anomalies",
        writeMs: DEFAULTS.anomalyWriteMs,
        restore: (content) => this.#restore(content),
        encode: (isLast) => (isLast ? atOnce(encodeSteps(this)) : this.#turns().run(encodeSteps(this))),
      },
      world,
    );
  }

  /** Settled when nothing is under way with the folder. */
  get settled(): Promise<void> {
    return this.#kept.settled;
  }

  get nowMs(): number {
    return this.#world.clock.wallMs();
  }

  /** Null where there are too many. */
  operation(key: string, name: string, policy: string | null): OperationWatch | null {
    const known = this.operations.get(key);
    if (known !== undefined) {
      if (policy !== null) known.policy = policy;
      return known;
    }
    if (this.operations.size >= DEFAULTS.anomalyOperationsMax) return null;
    const watch = new OperationWatch(key, name, policy);
    this.operations.set(key, watch);
    return watch;
  }

  /** The address of this key, or a fresh one. */
  address(key: number, name: () => string, nowMs: number): Actor {
    return found(this.addresses, key, name, nowMs);
  }

  caller(key: string, name: () => string, nowMs: number): Actor {
    return found(this.callers, key, name, nowMs);
  }

  /** It is judged in the next look. */
  touch(watch: OperationWatch): void {
    watch.isTouched = true;
    this.#touched.push(watch);
  }

  suspect(actor: Actor, isCaller: boolean): void {
    actor.isSuspect = true;
    this.#suspects.push({ actor, isCaller });
  }

  /** All that was counted since the last look is judged, and learnt from. */
  *judgeSteps(): Steps<void> {
    const { inForce } = this;
    if (inForce === null) return;
    const { settings, guesses, tell } = inForce;
    const nowMs = this.nowMs;
    const findings: Finding[] = [];
    const totals = noTotals();
    const touched = this.#touched;
    this.#touched = [];
    for (const watch of touched) {
      findings.push(...judgeOperation(watch, nowMs, settings, totals));
      watch.isTouched = false;
      if (!watch.isQuiet) this.touch(watch);
      yield;
    }
    const world = { nowMs, sinceMs: this.sinceMs, settings, guesses };
    findings.push(...judgeErrors(this.service, totals, nowMs, settings), ...judgeService(this.service, world));
    for (const suspect of this.#suspects.splice(0)) {
      suspect.actor.isSuspect = false;
      findings.push(...judgeActor(suspect, world));
      yield;
    }
    this.events.settle(findings, nowMs, tell);
    if (touched.length > 0) this.#kept.changed();
    const actors = this.addresses.size + this.callers.size;
    const objects = this.addresses.objects + this.callers.objects;
    this.#charge.holdUnasked(actors * ACTOR_BYTES + objects * OBJECTS_BYTES + this.operations.size * OPERATION_BYTES);
  }

  /** Somebody says that it is as it should be. */
  accept(anomaly: Anomaly): void {
    this.events.accept(anomaly, this.nowMs, this.inForce?.tell ?? (() => {}));
    this.#kept.changed();
  }

  status(): ResourceStatus {
    const { detail, ...kept } = this.#kept.status;
    const count = this.events.active.size;
    const text = `${count} ${count === 1 ? "anomaly" : "anomalies"}`;
    return { kind: this.kind, name: this.name, ...kept, detail: detail === null ? text : `${text}; ${detail}` };
  }

  start(): void {
    this.#kept.start();
    this.#schedule();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.inForce = null;
    this.#charge.release();
    this.#kept.close();
  }

  forget(): void {
    this.operations.clear();
    this.addresses.clear();
    this.callers.clear();
    this.events.clear();
    this.#touched = [];
    this.#suspects = [];
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok(this.#kept.whereabouts("what is usual is")));
  }

  #schedule(): void {
    this.#cancel = this.#world.timers.after(DEFAULTS.anomalyTickMs, () => {
      this.#schedule();
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    // One that is not through yet has what this one would.
    if (this.#isJudging) return;
    this.#isJudging = true;
    await this.#turns().run(this.judgeSteps());
    this.#isJudging = false;
  }

  #turns(): Turns {
    return new Turns(this.#world.clock, DEFAULTS.anomalySliceMs);
  }

  async #restore(content: Buffer): Promise<boolean> {
    return this.#turns().run(restoreSteps(content, this));
  }
}

function found<Key>(table: ActorTable<Key>, key: Key, name: () => string, nowMs: number): Actor {
  const known = table.find(key);
  if (known !== undefined) {
    if (!known.isKept && known.isEstablished) table.establish(key, known);
    return known;
  }
  const actor = new Actor(name(), nowMs);
  table.add(key, actor);
  return actor;
}
