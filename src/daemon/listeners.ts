import type { ListenAddress, ListenerSettings, Problem, Snapshot } from "../policy/snapshot.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { Listener, type ListenerDeps, type ListenerPlan } from "./listener.ts";

/** A change that has been tried out: everything that can fail has succeeded. Exactly one of the two is called. */
export interface Prepared {
  commit(): void;
  rollback(): void;
}

export interface ListenerStatus {
  readonly name: string;
  readonly address: string;
  readonly tls: boolean;
  readonly clientCertificate: "off" | "optional" | "required";
  readonly connectionsOpen: number;
}

/** All open ports. A port stays open as long as some policy after another names its address. */
export class Listeners {
  readonly #deps: ListenerDeps;
  #open = new Map<string, Listener>();
  readonly #leaving = new Set<Listener>();

  constructor(deps: ListenerDeps) {
    this.#deps = deps;
  }

  /** Checks TLS settings and opens the ports that are new; those that run go on as before. */
  async prepare(snapshot: Snapshot): Promise<Result<Prepared, readonly Problem[]>> {
    const next = new Map<string, Listener>();
    const plans: { readonly listener: Listener; readonly plan: ListenerPlan }[] = [];
    const fresh: Listener[] = [];
    const problems: Problem[] = [];
    for (const settings of snapshot.listeners) {
      const key = addressKey(settings);
      const existing = this.#open.get(key);
      const listener = existing ?? new Listener(settings, this.#deps);
      const plan = next.has(key) ? err("another listener has the same address") : listener.plan(settings);
      const bound = plan.ok && existing === undefined ? await listener.bind() : ok(null);
      if (existing === undefined) fresh.push(listener);
      if (!plan.ok) problems.push(problemOf(settings, plan.error));
      else if (!bound.ok) problems.push(problemOf(settings, `cannot listen: ${bound.error}`));
      else plans.push({ listener, plan: plan.value });
      next.set(key, listener);
    }
    const rollback = (): void => {
      for (const listener of fresh) listener.stop();
    };
    if (problems.length > 0) {
      rollback();
      return err(problems);
    }
    const commit = (): void => {
      for (const { listener, plan } of plans) listener.update(plan);
      this.#replace(next);
    };
    return ok({ commit, rollback });
  }

  status(): readonly ListenerStatus[] {
    return Array.from(this.#open.values(), (listener) => ({
      name: listener.settings.name,
      address: listener.boundTo,
      tls: listener.settings.tls !== null,
      clientCertificate: listener.settings.tls?.clientCertificate ?? "off",
      connectionsOpen: listener.connectionsOpen,
    }));
  }

  /** Closes every port; open connections go on. */
  stopAccepting(): void {
    for (const listener of this.#open.values()) listener.stop();
  }

  /** Closes every port and every connection. */
  close(): void {
    for (const listener of [...this.#open.values(), ...this.#leaving]) {
      listener.stop();
      listener.destroyConnections();
    }
  }

  /** Ports that the policy no longer names close now; their connections get the time of a shutdown to end by themselves. */
  #replace(next: Map<string, Listener>): void {
    for (const [key, listener] of this.#open) {
      if (next.has(key)) continue;
      listener.stop();
      this.#leaving.add(listener);
      setTimeout(() => {
        listener.destroyConnections();
        this.#leaving.delete(listener);
      }, DEFAULTS.drainTimeoutMs).unref();
    }
    this.#open = next;
  }
}

/** Listeners on port 0 get a port each, so their name tells them apart. */
function addressKey({ address, name }: ListenerSettings): string {
  return address.type === "tcp" && address.port === 0 ? `tcp:${address.host}:0:${name}` : addressText(address);
}

function addressText(address: ListenAddress): string {
  if (address.type === "tcp") return `tcp:${address.host}:${address.port}`;
  return address.type === "unix" ? `unix:${address.path}` : `fd:${address.name}`;
}

function problemOf(settings: ListenerSettings, text: string): Problem {
  return { place: settings.place, text: `listener '${settings.name}' on ${addressText(settings.address)}: ${text}` };
}
