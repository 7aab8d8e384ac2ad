import { afterEach, beforeEach } from "vitest";
import { Listeners } from "../../src/daemon/listeners.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { ConnectionFacts } from "../../src/message/connection.ts";
import type { TlsSettings } from "../../src/policy/snapshot.ts";
import { createTelemetry } from "../../src/telemetry/live.ts";
import { listenerOf, snapshotOf } from "../fixtures/snapshot.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

/** Real listeners whose connections are noted and closed, new for each test. */
export interface NotedListeners {
  /** What the log was told. */
  sink: MemorySink;
  /** Of connections whose handshake has succeeded, in order. */
  facts: ConnectionFacts[];
  /** The port of one listener with these settings; what listened before is closed. */
  listen(tls: TlsSettings): Promise<number>;
}

/** To be called where tests are defined. */
export function noteConnections(): NotedListeners {
  let listeners: Listeners;
  const noted: NotedListeners = {
    sink: new MemorySink(),
    facts: [],
    listen: async (tls) => {
      const prepared = await listeners.prepare(snapshotOf({ listeners: [listenerOf({ tls })] }));
      if (!prepared.ok) throw new Error(JSON.stringify(prepared.error));
      prepared.value.commit();
      return Number(listeners.status()[0]?.address.split(":").at(-1));
    },
  };
  beforeEach(() => {
    const memory = unlimitedMemory();
    noted.sink = new MemorySink();
    noted.facts = [];
    listeners = new Listeners({
      telemetry: createTelemetry({ clock: new TestClock(), sink: noted.sink, processFigures: null, memory }),
      inheritedSockets: new Map(),
      memory,
      serve: (socket, one) => {
        noted.facts.push(one);
        socket.end("served\n");
      },
    });
  });
  afterEach(() => listeners.close());
  return noted;
}
