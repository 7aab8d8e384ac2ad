import type { AdminSettings, Problem } from "../policy/snapshot.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { AdminPages, AdminServer } from "./admin.ts";
import type { Prepared } from "./listeners.ts";
import { wholeFileProblem } from "./reload.ts";

type Address = NonNullable<AdminSettings["address"]>;
type Open = (address: Address) => Promise<Result<AdminServer, string>>;

/** The admin port, the one for probes and the one for metrics, over reloads. */
export class AdminPorts {
  readonly #admin: MovingPort;
  readonly #probes: MovingPort;
  readonly #metrics: MovingPort;

  constructor(policyFile: string, pages: AdminPages) {
    // node:http is not used on the data path, so only a policy with one of these ports pays for it.
    this.#admin = new MovingPort(policyFile, "admin", "admin.address", async (address) => {
      const { openAdmin } = await import("./admin.ts");
      return openAdmin(address, pages);
    });
    this.#probes = new MovingPort(policyFile, "probes", "admin.probes", async (address) => {
      const { openProbes } = await import("./probes.ts");
      return openProbes(address, pages);
    });
    this.#metrics = new MovingPort(policyFile, "metrics", "metrics.address", async (address) => {
      const { openMetrics } = await import("./metrics-port.ts");
      return openMetrics(address, pages);
    });
  }

  get boundTo(): string | null {
    return this.#admin.boundTo;
  }

  get probesBoundTo(): string | null {
    return this.#probes.boundTo;
  }

  get metricsBoundTo(): string | null {
    return this.#metrics.boundTo;
  }

  async prepare({ address, probes, metrics }: AdminSettings): Promise<Result<Prepared, readonly Problem[]>> {
    const prepared: Prepared[] = [];
    const rollback = (): void => {
      for (const port of prepared) port.rollback();
    };
    const wanted = [
      [this.#admin, address],
      [this.#probes, probes],
      [this.#metrics, metrics],
    ] as const;
    for (const [port, at] of wanted) {
      const one = await port.prepare(at);
      if (!one.ok) {
        rollback();
        return one;
      }
      prepared.push(one.value);
    }
    const commit = (): void => {
      for (const port of prepared) port.commit();
    };
    return ok({ commit, rollback });
  }

  async close(): Promise<void> {
    await Promise.all([this.#admin.close(), this.#probes.close(), this.#metrics.close()]);
  }
}

/** A port that moves when the policy gives another address, and opens the new before the old closes. */
class MovingPort {
  readonly #policyFile: string;
  /** What problems call it. */
  readonly #name: string;
  /** Its key in the policy. */
  readonly #key: string;
  readonly #open: Open;
  #address = "";
  #server: AdminServer | null = null;

  constructor(policyFile: string, name: string, key: string, open: Open) {
    this.#policyFile = policyFile;
    this.#name = name;
    this.#key = key;
    this.#open = open;
  }

  get boundTo(): string | null {
    return this.#server?.boundTo ?? null;
  }

  async prepare(address: Address | null): Promise<Result<Prepared, readonly Problem[]>> {
    const text = address === null ? "" : `${address.host}:${address.port}`;
    if (text === this.#address) return ok({ commit: () => {}, rollback: () => {} });
    const opened = address === null ? ok(null) : await this.#open(address);
    if (!opened.ok) {
      const problem = `${this.#name} on ${text}: cannot listen: ${opened.error}`;
      return err([wholeFileProblem(this.#policyFile, problem, this.#key)]);
    }
    const commit = (): void => {
      void this.#server?.close();
      this.#server = opened.value;
      this.#address = text;
    };
    return ok({ commit, rollback: () => void opened.value?.close() });
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}
