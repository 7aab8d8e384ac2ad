import type { CompileContext, Limit, LimitContext, LimitKind, LimitStoreUse } from "../filters/filter.ts";
import { prepareKeys } from "../filters/limit/key-language.ts";
import type { LimitFields } from "../message/limit-state.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { choiceOf, nearest } from "../support/schema.ts";
import type { Steps } from "../support/turns.ts";
import { compileEntries } from "./compile-entries.ts";
import type { Path } from "./path.ts";
import { salvageContext } from "./salvage.ts";
import { limitHeadersShape } from "./schema.ts";
import type { Work } from "./work.ts";

/** Loads the kinds of limits that the policy has. */
export async function prepareLimits({ reader, registry }: Work): Promise<void> {
  const limits = reader.raw(["limits"]);
  await prepareKeys(limits);
  if (reader.names(["stores"]).length > 0) await registry.limitStore.prepare();
  const entries = typeof limits === "object" && limits !== null ? Object.values(limits).filter(isObject) : [];
  for (const kind of registry.limits) {
    if (kind.prepare === undefined) continue;
    if (entries.some((entry) => Object.hasOwn(entry, kind.word))) await kind.prepare();
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Section `limitHeaders`. */
function readLimitHeaders({ reader }: Work): Pick<LimitContext, "fields" | "tellsPartition"> {
  const path: Path = ["limitHeaders"];
  const { fields, partitionKey } = reader.raw(path) === undefined ? {} : reader.fields(limitHeadersShape, path);
  return { fields: fields ?? DEFAULT_FIELDS, tellsPartition: partitionKey ?? false };
}

const DEFAULT_FIELDS: readonly LimitFields[] = ["draft-11"];
/** Section `stores`. */
export function* compileStores(work: Work): Steps<void> {
  yield* compileEntries(work, "stores", work.registry.limitStore, work.stores);
}

/** The store that the limit at `path` names. */
function storeOf(work: Work, name: string, path: Path): LimitStoreUse | null {
  const store = work.stores.get(name);
  if (store !== undefined || work.stores.isDefined(name)) return store ?? null;
  work.problem(`no store '${name}' is defined; ${work.stores.hint(name)}`, [...path, "store"]);
  return null;
}

/** What all entries of `limits` are compiled with. */
export type LimitWorld = Omit<LimitContext, keyof CompileContext | "store">;

export function limitWorld(work: Work): LimitWorld {
  const names = work.reader.names(["limits"]);
  const evenShare = 2 ** Math.floor(Math.log2(DEFAULTS.rateKeysMax / Math.max(1, names.length)));
  return {
    tables: work.inputs.rateTables,
    places: work.places,
    usualKeys: Math.min(DEFAULTS.rateKeys, Math.max(evenShare, DEFAULTS.rateProbesMax)),
    hasOthers: names.length > 1,
    ...readLimitHeaders(work),
  };
}

/** Section `limits`. */
export function* compileLimits(work: Work): Steps<void> {
  const world = limitWorld(work);
  let keys = 0;
  for (const name of work.reader.names(["limits"])) {
    yield;
    if (work.problems.isFull) return;
    work.limits.defined.add(name);
    const path = ["limits", name];
    const compiled = compileLimit(work, name, work.reader.raw(path), path, world);
    if (compiled === null) continue;
    const { limit, isWhole } = compiled;
    if (isWhole) work.limits.set(name, limit);
    keys += limit.keys;
    if (keys > DEFAULTS.rateKeysMax) {
      work.problem(
        `the limits up to here count ${keys} keys at once; expected at most ${DEFAULTS.rateKeysMax}: give some of them a 'maxKeys' below ${limit.keys}`,
        path,
      );
      return;
    }
  }
}

/** One entry, whose settings may differ from what stands at `path`. Null with problems reported. */
export function compileLimit(
  work: Work,
  name: string,
  settings: unknown,
  path: Path,
  world: LimitWorld,
): { readonly limit: Limit; readonly isWhole: boolean } | null {
  const kind = kindOf(work, settings, path);
  const parts = kind === null ? null : work.reader.readParts(kind.schema, settings, path);
  if (kind === null || parts === null) return null;
  const context = salvageContext(
    work.context((inner) => [...path, ...inner]),
    parts,
  );
  const limit = kind.compile(name, parts.settings, {
    ...context,
    ...world,
    store: (store) => storeOf(work, store, path),
  });
  return limit === null ? null : { limit, isWhole: parts.lost.length === 0 };
}

/** The kind whose word the entry has; null with a problem where it has none or two. */
function kindOf(work: Work, settings: unknown, path: Path): LimitKind<unknown> | null {
  if (work.reader.keys(path) === null) return null;
  const keys = typeof settings === "object" && settings !== null ? Object.keys(settings) : [];
  const { limits: kinds } = work.registry;
  const [kind, second] = kinds.filter(({ word }) => keys.includes(word));
  if (kind !== undefined && second === undefined) return kind;
  const words = kinds.map(({ word }) => word);
  if (kind !== undefined && second !== undefined) {
    work.problem(
      `both '${kind.word}' and '${second.word}'; expected one of them, and another limit for the other`,
      path,
    );
    return null;
  }
  const near = keys.map((key) => nearest(key, words)).find((word) => word !== undefined);
  const hint = near === undefined ? choiceOf(words) : `did you mean '${near}'?`;
  work.problem(`the limit does not say of what it is; ${hint}`, path);
  return null;
}

/** Limits and plans that callers of files name: each has to be one of the policy. */
export function checkCallerLimits(work: Work): void {
  for (const [, { limits = [] }] of work.authenticators) {
    for (const { name, section, ...place } of limits) {
      if (work[section].get(name) !== undefined || work[section].isDefined(name)) continue;
      const what = section === "limits" ? "limit" : "plan";
      work.problems.add(place, `the policy has no ${what} of this name; expected one of '${section}'`);
    }
  }
}

/** Warns where callers of files have plans, and no route goes by them. */
export function warnIdlePlans(work: Work): void {
  if (!work.isWhole || work.goesByPlans) return;
  const named = [...work.authenticators.values()].flatMap(({ limits = [] }) => limits);
  const first = named.find(({ section }) => section === "plans");
  if (first === undefined) return;
  const text = `no route goes by plans, so '${first.name}' limits nobody; expected 'limit: [{ plan: { default: … } }]' on a route`;
  work.warnings.add("no_effect", first, text);
}
