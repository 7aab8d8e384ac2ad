import type { LimitContext, LimitKind, LimitStoreUse } from "../filters/filter.ts";
import { prepareKeys } from "../filters/limit/key.ts";
import type { LimitFields } from "../message/limit-state.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { choiceOf, nearest } from "../support/schema.ts";
import type { Steps } from "../support/turns.ts";
import type { Path } from "./path.ts";
import { salvageContext } from "./salvage.ts";
import { limitHeadersShape } from "./schema.ts";
import type { Work } from "./work.ts";

/** Loads the kinds of limits that the policy has. */
export async function prepareLimits({ reader, registry }: Work): Promise<void> {
  const names = reader.names(["limits"]);
  await prepareKeys(reader.raw(["limits"]));
  if (reader.names(["stores"]).length > 0) await registry.limitStore.prepare();
  for (const kind of registry.limits) {
    if (kind.prepare === undefined) continue;
    if (names.some((name) => reader.raw(["limits", name, kind.word]) !== undefined)) await kind.prepare();
  }
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
  const { limitStore: kind } = work.registry;
  for (const name of work.reader.names(["stores"])) {
    yield;
    if (work.problems.isFull) return;
    work.stores.defined.add(name);
    const path = ["stores", name];
    const parts = work.reader.readParts(kind.schema, work.reader.raw(path), path);
    if (parts === null) continue;
    const context = salvageContext(
      work.context((inner) => [...path, ...inner]),
      parts,
    );
    const compiled = kind.compile(name, parts.settings, context);
    if (compiled !== null && parts.lost.length === 0) work.stores.set(name, compiled);
  }
}

/** The store that the limit at `path` names. */
function storeOf(work: Work, name: string, path: Path): LimitStoreUse | null {
  const store = work.stores.get(name);
  if (store !== undefined || work.stores.isDefined(name)) return store ?? null;
  work.problem(`no store '${name}' is defined; ${work.stores.hint(name)}`, [...path, "store"]);
  return null;
}

/** Section `limits`. */
export function* compileLimits(work: Work): Steps<void> {
  const names = work.reader.names(["limits"]);
  const evenShare = 2 ** Math.floor(Math.log2(DEFAULTS.rateKeysMax / Math.max(1, names.length)));
  const usualKeys = Math.min(DEFAULTS.rateKeys, Math.max(evenShare, DEFAULTS.rateProbesMax));
  const told = readLimitHeaders(work);
  let keys = 0;
  for (const name of names) {
    yield;
    if (work.problems.isFull) return;
    work.limits.defined.add(name);
    const path = ["limits", name];
    const kind = kindOf(work, path);
    if (kind === null) continue;
    const parts = work.reader.readParts(kind.schema, work.reader.raw(path), path);
    if (parts === null) continue;
    const context: LimitContext = {
      ...salvageContext(
        work.context((inner) => [...path, ...inner]),
        parts,
      ),
      tables: work.inputs.rateTables,
      places: work.places,
      usualKeys,
      store: (store) => storeOf(work, store, path),
      hasOthers: names.length > 1,
      ...told,
    };
    const compiled = kind.compile(name, parts.settings, context);
    if (compiled === null) continue;
    if (parts.lost.length === 0) work.limits.set(name, compiled);
    keys += compiled.keys;
    if (keys > DEFAULTS.rateKeysMax) {
      work.problem(
        `the limits up to here count ${keys} keys at once; expected at most ${DEFAULTS.rateKeysMax}: give some of them a 'maxKeys' below ${compiled.keys}`,
        path,
      );
      return;
    }
  }
}

/** The kind whose word the entry has; null with a problem where it has none or two. */
function kindOf(work: Work, path: Path): LimitKind<unknown> | null {
  const keys = work.reader.keys(path);
  if (keys === null) return null;
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

/** Limits that callers of files name: each has to be one of the policy. */
export function checkCallerLimits(work: Work): void {
  for (const [, { limits = [] }] of work.authenticators) {
    for (const { name, ...place } of limits) {
      if (work.limits.get(name) !== undefined || work.limits.isDefined(name)) continue;
      work.problems.add(place, "the policy has no limit of this name; expected one of 'limits'");
    }
  }
}
