import type { JsonObject } from "../support/json.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { AdminRefusal } from "./admin-room.ts";

/** What a request at the admin port is about; absent members: any. */
export interface Wanted {
  /** Of an entry of the policy. */
  readonly name?: string;
  /** A key's label, or its id. */
  readonly key?: string;
}

/** Of a GET; `entry` is the word for the name. */
export function wantedOfQuery(query: URLSearchParams, entry: string): Wanted {
  const [name, key] = [query.get(entry), query.get("key")];
  return { ...(name === null ? {} : { name }), ...(key === null ? {} : { key }) };
}

/** Of an act: `{ ENTRY: NAME, key: KEY }`, or `all: true` in place of either. A word that nobody gave must not stand for everything. */
export function wantedOfAct(settings: JsonObject, entry: string): Result<Wanted, AdminRefusal> {
  const { [entry]: name, key, all } = settings;
  const expected = `expected { ${entry}: NAME, key: KEY }, or all: true in place of either`;
  const isText = (value: unknown): value is string | undefined => value === undefined || typeof value === "string";
  const isWhole = all === true || (name !== undefined && key !== undefined);
  if (!isText(name) || !isText(key) || !isWhole || (all !== undefined && typeof all !== "boolean")) {
    return err({ status: 400, text: expected });
  }
  return ok({ ...(name === undefined ? {} : { name }), ...(key === undefined ? {} : { key }) });
}

/** Whether `key` is a label, with or without the attribute's name, or the id beside it. */
export function isKey(label: string | null, id: string, key: string): boolean {
  return label === key || label?.slice(label.indexOf(" ") + 1) === key || id === key;
}
