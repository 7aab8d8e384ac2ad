import type { Place } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import type { Clock } from "../support/clock.ts";
import type { AnomaliesInForce, AuditTrail } from "../telemetry/telemetry.ts";
import type { DebugHeader } from "./debug-header.ts";
import type { DecisionLine } from "./decision-line.ts";
import type { FactsSettings } from "./facts-pieces.ts";
import { FactsMaker, type FinishedRequest } from "./make-facts.ts";
import type { Trace, Tracer } from "./tracer.ts";

/** Who gets decision facts. It neither waits nor throws, and keeps what it takes within bounds of its own. */
export interface RecordSubscriber {
  /** Whether it wants this one; asked before anything is made of it. */
  wants(finished: FinishedRequest): boolean;
  note(line: DecisionLine): void;
}

/** Who counts requests, and needs no facts made of them: it sees each one, keeps nothing of it, and costs it next to nothing. */
export interface RequestObserver {
  /** `place`: its route's, the same object for each of its requests. */
  observe(finished: FinishedRequest, place: Place | null): void;
}

export interface RecordsParts {
  readonly subscribers: readonly RecordSubscriber[];
  readonly observers: readonly RequestObserver[];
  readonly settings: FactsSettings;
  /** Null where no trace can be asked for. */
  readonly tracer: Tracer | null;
  readonly rooms: readonly AdminRoom[];
  /** Null where no answer tells of its decision. */
  readonly debug: DebugHeader | null;
  /** Null where the policy has none. */
  readonly audit: AuditTrail | null;
  /** Null where nobody asks for them. */
  readonly anomalies: AnomaliesInForce | null;
}

/** The subscribers of one policy. Facts are made once for all of them, and only where one wants them. */
export class DecisionRecords {
  /** What is shown of them at the admin port. */
  readonly rooms: readonly AdminRoom[];
  readonly debug: DebugHeader | null;
  readonly audit: AuditTrail | null;
  readonly anomalies: AnomaliesInForce | null;
  readonly #subscribers: readonly RecordSubscriber[];
  readonly #observers: readonly RequestObserver[];
  readonly #tracer: Tracer | null;
  readonly #maker: FactsMaker;
  readonly #clock: Pick<Clock, "wallMs">;

  constructor(
    { subscribers, observers, settings, tracer, rooms, debug, audit, anomalies }: RecordsParts,
    clock: Pick<Clock, "wallMs">,
  ) {
    this.#subscribers = subscribers;
    this.#observers = observers;
    this.#tracer = tracer;
    this.rooms = rooms;
    this.debug = debug;
    this.audit = audit;
    this.anomalies = anomalies;
    this.#maker = new FactsMaker(settings);
    this.#clock = clock;
  }

  /** A request begins. Null unless somebody waits for one to be traced. */
  begin(exchange: Exchange): Trace | null {
    return this.#tracer?.begin(exchange) ?? null;
  }

  /** A request is over. `place`: its route's. */
  note(finished: FinishedRequest, place: Place | null, trace: Trace | null): void {
    for (const observer of this.#observers) observer.observe(finished, place);
    const steps = trace === null ? undefined : this.#tracer?.take(trace, finished.id);
    let line: DecisionLine | null = null;
    for (const subscriber of this.#subscribers) {
      // Asked in any case, for who picks one in so many counts.
      if (!subscriber.wants(finished) && steps === undefined) continue;
      line ??= this.#maker.make(finished, place, this.#clock.wallMs(), steps);
      subscriber.note(line);
    }
  }
}
