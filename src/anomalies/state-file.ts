import { REASONS, type Reason } from "../decision/reason.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type JsonObject, parseJsonObject } from "../support/json.ts";
import type { Steps } from "../support/turns.ts";
import { Actor, HoursUse, type Span, TALLIES } from "./actor.ts";
import type { ActorTable } from "./actor-table.ts";
import type { OperationWatch } from "./operation-watch.ts";
import type { ServiceWatch } from "./service-watch.ts";

/** What is kept of a book: what was learnt, and nothing of what is going on. */
export interface KeptAnomalies {
  seed: number;
  sinceMs: number;
  readonly service: ServiceWatch;
  readonly operations: Map<string, OperationWatch>;
  readonly addresses: ActorTable<number>;
  readonly callers: ActorTable<string>;
  readonly events: { readonly accepted: Map<string, number> };
  operation(key: string, name: string, policy: string | null): OperationWatch | null;
}

/** A line of JSON for each operation and actor, so that neither writing nor reading holds up others. */
export function* encodeSteps(book: KeptAnomalies): Steps<Buffer> {
  const { seed, sinceMs } = book;
  const lines = [JSON.stringify({ seed, sinceMs })];
  for (const [name, norm] of Object.entries(book.service.dump())) lines.push(JSON.stringify({ service: name, norm }));
  for (const watch of book.operations.values()) {
    lines.push(JSON.stringify({ operation: watch.key, name: watch.name, norms: watch.dump() }));
    yield;
  }
  for (const [key, actor] of book.addresses.established) {
    lines.push(JSON.stringify({ address: key, ...actorRow(actor) }));
    yield;
  }
  for (const [key, actor] of book.callers.established) {
    lines.push(JSON.stringify({ caller: key, ...actorRow(actor) }));
    yield;
  }
  for (const [key, figure] of book.events.accepted) lines.push(JSON.stringify({ accepted: key, figure }));
  return Buffer.from(`${lines.join("\n")}\n`);
}

const DEPTH_MAX = 5;

/** Takes the place of what was learnt in the moment since the start. False where the content is of no use. */
export function* restoreSteps(content: Buffer, book: KeptAnomalies): Steps<boolean> {
  let isFirst = true;
  for (let from = 0; from < content.length; ) {
    const end = content.indexOf(0x0a, from);
    const line = content.subarray(from, end < 0 ? content.length : end);
    from = end < 0 ? content.length : end + 1;
    const parsed = parseJsonObject(line, DEPTH_MAX);
    if (!parsed.ok) return false;
    if (isFirst) {
      const { seed, sinceMs } = parsed.value;
      if (!isNumber(seed) || !isNumber(sinceMs)) return false;
      book.seed = seed;
      book.sinceMs = Math.min(book.sinceMs, sinceMs);
      // Hashes with another seed.
      book.addresses.clear();
      book.callers.clear();
      isFirst = false;
    } else restoreLine(parsed.value, book);
    yield;
  }
  return !isFirst;
}

/** What is not as it was written is left out. */
function restoreLine(line: JsonObject, book: KeptAnomalies): void {
  const { service, operation, name, address, caller, accepted, figure } = line;
  if (typeof service === "string") book.service.restore(service, numbersOf(line["norm"]), isReason);
  if (typeof operation === "string" && typeof name === "string" && Array.isArray(line["norms"])) {
    book.operation(operation, name, null)?.restore(line["norms"].map(numbersOf));
  }
  if (isNumber(address)) restoreActor(book.addresses, address, line, book);
  if (typeof caller === "string") restoreActor(book.callers, caller, line, book);
  if (typeof accepted === "string" && isNumber(figure) && book.events.accepted.size < DEFAULTS.anomaliesAcceptedMax) {
    book.events.accepted.set(accepted, figure);
  }
}

function actorRow(actor: Actor): JsonObject {
  const { name, firstMs, lastMs, windows, short, long, hours, objects } = actor;
  return {
    name,
    times: [firstMs, lastMs, windows],
    short: peaksOf(short),
    long: peaksOf(long),
    hours:
      hours === null ? [] : [hours.daysSeen, hours.requests, ...hours.days.map((days) => Math.round(days * 100) / 100)],
    objects: Array.from(objects?.values() ?? [], ({ operation, short: few, long: many }) => [
      operation.key,
      few.usual.dump(),
      many.usual.dump(),
    ]),
  };
}

function peaksOf(span: Span): readonly (readonly number[])[] {
  return TALLIES.map((name) => span.tallies[name]?.usual.dump() ?? []);
}

function restoreActor<Key>(table: ActorTable<Key>, key: Key, line: JsonObject, book: KeptAnomalies): void {
  const [firstMs = 0, lastMs = 0, windows = 0] = numbersOf(line["times"]);
  if (typeof line["name"] !== "string") return;
  const actor = new Actor(line["name"].slice(0, DEFAULTS.anomalyNameCharsMax), firstMs);
  actor.lastMs = lastMs;
  actor.windows = windows;
  restorePeaks(actor.short, line["short"]);
  restorePeaks(actor.long, line["long"]);
  const [daysSeen = 0, requests = 0, ...days] = numbersOf(line["hours"]);
  if (days.length === 24) {
    actor.hours = new HoursUse();
    actor.hours.daysSeen = daysSeen;
    actor.hours.requests = requests;
    for (const [at, count] of days.entries()) actor.hours.days[at] = count;
  }
  table.establish(key, actor);
  if (!actor.isKept) return;
  for (const row of listOf(line["objects"]).slice(0, DEFAULTS.anomalyObjectsMax)) {
    const [operationKey, few, many] = listOf(row);
    const operation = typeof operationKey === "string" ? book.operations.get(operationKey) : undefined;
    if (operation === undefined) continue;
    const use = table.objectsOf(actor, operation);
    if (use === null) return;
    use.short.usual.restore(numbersOf(few));
    use.long.usual.restore(numbersOf(many));
  }
}

function restorePeaks(span: Span, value: unknown): void {
  const rows = listOf(value);
  for (const [at, name] of TALLIES.entries()) {
    const numbers = numbersOf(rows[at]);
    if (numbers.length > 0) span.tally(name).usual.restore(numbers);
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function numbersOf(value: unknown): readonly number[] {
  const list = listOf(value);
  return list.every(isNumber) ? list : [];
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}
