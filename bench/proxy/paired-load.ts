/**
 * Load on one process whose policy is one and the other in turns (`node bench/proxy/paired-load.ts FILE`); prints an array of
 * `Pair` as JSON. What a reload itself costs falls between the periods that count.
 */
import { readFileSync, renameSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { Generator, type LoadSettings } from "./load.ts";
import { coreBusySeconds, threadSeconds } from "./process-usage.ts";

export interface PairedSettings extends LoadSettings {
  readonly pid: number;
  readonly policyFile: string;
  /** Where the process says that a policy is in force. */
  readonly outputFile: string;
  readonly without: string;
  /** The policy in force at the beginning. */
  readonly with: string;
  readonly pairs: number;
}

/** CPU per request of two periods, one directly before the other, and the share of both in which the core was somebody else's. */
export interface Pair {
  readonly withoutUs: number;
  readonly withUs: number;
  readonly foreignShare: number;
}

interface Slice {
  readonly cpuUs: number;
  readonly seconds: number;
  readonly foreignSeconds: number;
}

/** What a reload leaves to do, as collecting the policy before, is over. */
const SETTLE_MS = 600;
const RELOAD_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

class PairedLoad {
  readonly #settings: PairedSettings;
  readonly #generator: Generator;
  #inForce: "without" | "with" = "with";

  constructor(settings: PairedSettings) {
    this.#settings = settings;
    this.#generator = new Generator(settings);
  }

  async run(): Promise<readonly Pair[]> {
    await this.#generator.start();
    await this.#generator.warmUp();
    await this.#follow("without");
    await this.#generator.warmUp();
    const pairs: Pair[] = [];
    for (let at = 0; at < this.#settings.pairs; at++) {
      // ABBA: what grows or passes with time is in both alike.
      const order = at % 2 === 0 ? (["without", "with"] as const) : (["with", "without"] as const);
      const first = await this.#slice(order[0]);
      const second = await this.#slice(order[1]);
      const [without, withIt] = at % 2 === 0 ? [first, second] : [second, first];
      const seconds = without.seconds + withIt.seconds;
      const foreignShare = (without.foreignSeconds + withIt.foreignSeconds) / seconds;
      pairs.push({ withoutUs: without.cpuUs, withUs: withIt.cpuUs, foreignShare });
    }
    this.#generator.stop();
    return pairs;
  }

  async #slice(policy: "without" | "with"): Promise<Slice> {
    await this.#follow(policy);
    const { pid, core, measureMs } = this.#settings;
    const startedMs = performance.now();
    const answers = this.#generator.answers;
    const cpu = threadSeconds(pid);
    const busy = coreBusySeconds(core);
    await elapsed(measureMs);
    const usedSeconds = threadSeconds(pid) - cpu;
    return {
      cpuUs: (usedSeconds / (this.#generator.answers - answers)) * 1e6,
      seconds: (performance.now() - startedMs) / 1000,
      foreignSeconds: Math.max(0, coreBusySeconds(core) - busy - usedSeconds),
    };
  }

  /** Has a policy come into force, unless it is, and lets it settle. */
  async #follow(policy: "without" | "with"): Promise<void> {
    if (this.#inForce === policy) return;
    this.#inForce = policy;
    const { policyFile, outputFile, pid } = this.#settings;
    truncateSync(outputFile);
    const next = `${policyFile}.next`;
    writeFileSync(next, this.#settings[policy]);
    // As one that has been there for long: a policy just written is waited for.
    utimesSync(next, new Date(0), new Date(0));
    renameSync(next, policyFile);
    process.kill(pid, "SIGHUP");
    const deadlineMs = performance.now() + RELOAD_TIMEOUT_MS;
    while (!readFileSync(outputFile, "latin1").includes('"event":"reload"')) {
      if (performance.now() > deadlineMs) throw new Error(`no reload in time: ${readFileSync(outputFile, "latin1")}`);
      await elapsed(POLL_MS);
    }
    await elapsed(SETTLE_MS);
  }
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const settings: PairedSettings = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
process.stdout.write(JSON.stringify(await new PairedLoad(settings).run()));
process.exit(0);
