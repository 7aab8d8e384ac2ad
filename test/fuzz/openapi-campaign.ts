import { CONTINUE, Denial, type Verdict } from "../../src/decision/verdict.ts";
import type { Check } from "../../src/filters/filter.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { MemoryBudget } from "../../src/memory/budget.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { readDescription } from "../../src/openapi/description.ts";
import { Findings } from "../../src/openapi/findings.ts";
import { entriesOf } from "../../src/policy/openapi/entries.ts";
import { USUAL_LOWERING } from "../../src/policy/openapi/lowering.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { createExchange, createRouteContext, MemoryBody } from "../fixtures/route-context.ts";
import { drawRequest, FUZZED_API, type FuzzedRequest } from "./openapi-grammar.ts";
import { caseSeed, Random } from "./random.ts";

export interface OpenapiTally {
  requests: number;
  readonly outcomes: Map<string, number>;
  /** What must not be: a request that throws, holds more than it may or gives it not back, or holds the thread too long. */
  readonly disagreements: { readonly index: number; readonly what: string }[];
  /** Longest time of the thread between two turns of the event loop, and the case in which it was. */
  longestMs: number;
  longestIndex: number;
}

export interface OpenapiCampaign {
  readonly seed: number;
  readonly requestsMax: number;
  /** Time of the thread that a case may take in one turn. Another program of the machine does not lengthen it. */
  readonly stretchMsMax: number;
  goesOn(): boolean;
}

const DISAGREEMENTS_MAX = 20;
/** Of a machine small enough that the largest bodies together would not fit. */
const MACHINE_BYTES = 512 * 1024 * 1024;

/** Random requests to the operations of a description: hostile parameters and bodies, as they are cut into reads. */
export async function runOpenapiCampaign(campaign: OpenapiCampaign): Promise<OpenapiTally> {
  const { seed, requestsMax, stretchMsMax, goesOn } = campaign;
  await validateFilter.prepare?.();
  const memory = new MemoryBudget({ bytes: MACHINE_BYTES, isGranted: true });
  const checks = checksOf(memory);
  const tally: OpenapiTally = {
    requests: 0,
    outcomes: new Map(),
    disagreements: [],
    longestMs: 0,
    longestIndex: 0,
  };
  for (let index = 0; index < requestsMax && goesOn(); index++) {
    const drawn = drawRequest(new Random(caseSeed(seed, index)));
    const check = checks.get(drawn.operation);
    if (check === undefined) throw new Error(`no operation '${drawn.operation}'`);
    const { outcome, stretchMs } = await tried(check, drawn);
    tally.requests++;
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    if (stretchMs > tally.longestMs) [tally.longestMs, tally.longestIndex] = [stretchMs, index];
    const told = (what: string): void => void tally.disagreements.push({ index, what });
    if (outcome.startsWith("throws")) told(outcome);
    if (stretchMs > stretchMsMax) told(`the thread is held for ${stretchMs.toFixed(0)} ms by ${drawn.operation}`);
    if (memory.bodies.heldBytes !== 0) told(`${memory.bodies.heldBytes} bytes of bodies are not given back`);
    if (tally.disagreements.length >= DISAGREEMENTS_MAX) break;
  }
  return tally;
}

async function tried(check: Check, drawn: FuzzedRequest): Promise<{ outcome: string; stretchMs: number }> {
  const stretches = new Stretches();
  const { body, params, query, headers } = drawn;
  const exchange = createExchange({
    method: body === null ? "GET" : "POST",
    params,
    query,
    headers,
    ...(body === null ? {} : { body: new MemoryBody(body) }),
  });
  let outcome: string;
  try {
    const verdict = (await check.evaluate(exchange)) ?? (await watched(check, exchange, body ?? []));
    outcome = verdict === null ? "passes" : `refused: ${verdict.reason}`;
  } catch (error) {
    outcome = `throws ${String(error)}`;
  }
  exchange.end();
  return { outcome, stretchMs: await stretches.end() };
}

/** What the watch says of a body that streams, as it comes. */
async function watched(check: Check, exchange: Exchange, pieces: readonly Buffer[]): Promise<Verdict> {
  const watch = exchange.collectedBody === null ? (check.watch?.(exchange) ?? null) : null;
  if (watch === null) return CONTINUE;
  for (const piece of pieces) {
    const judged = await watch.scan(piece);
    if (judged instanceof Denial) return judged;
  }
  return watch.end();
}

/** Longest time that this thread had a core between two turns of its event loop. */
class Stretches {
  #longestMs = 0;
  #lastMs = threadCpuMs();
  #isRunning = true;

  constructor() {
    setImmediate(() => this.#look());
  }

  async end(): Promise<number> {
    await new Promise((done) => setImmediate(done));
    this.#isRunning = false;
    return this.#longestMs;
  }

  #look(): void {
    const nowMs = threadCpuMs();
    this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    if (this.#isRunning) setImmediate(() => this.#look());
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** What section `openapi` makes of each operation, by its id. */
function checksOf(memory: MemoryBudget): ReadonlyMap<string, Check> {
  const file = "api.json";
  const text = Buffer.from(JSON.stringify(FUZZED_API));
  const { description, findings } = atOnce(readDescription({ file, root: null, overlays: [] }, () => text));
  if (description === null) throw new Error(findings.problems.map((one) => one.text).join("; "));
  const rules = {
    schemes: description.schemes,
    mapping: { written: {}, authenticators: new Map<string, unknown>() },
    isPublic: true,
    hasDefault: true,
    hasDefaultCors: false,
    extensions: [],
    bases: [""],
    lowering: USUAL_LOWERING,
  };
  const { library } = description;
  const loose = new Findings();
  const checks = new Map<string, Check>();
  for (const { entry, template, operation } of atOnce(entriesOf(description, rules, loose))) {
    const { context, compiled } = createRouteContext({ key: "validate", template, memory });
    const settings = validateFilter.schema.parse(JSON.parse(JSON.stringify(entry.value["validate"])));
    const described: typeof context.described = (name, pointer) => {
      const reference = library.find(name, pointer);
      return reference === null ? null : { library, reference };
    };
    atOnce(stepsOf(validateFilter.compile(settings, { ...context, described })));
    const [check] = compiled.checks;
    if (check === undefined || operation.id === null) throw new Error(`${template}: ${compiled.problems[0]?.text}`);
    checks.set(operation.id, check);
  }
  if (loose.unenforced.length > 0) throw new Error(`not enforced: ${loose.unenforced[0]?.what}`);
  return checks;
}
