import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { JsonNumber } from "./json-number.ts";
import { memberNames } from "./json-parser.ts";

/** One call of a JSON-RPC 2.0 body. */
export interface RpcCall {
  readonly method: string;
  /** By position or by name; undefined where the call has none. */
  readonly params: unknown;
  /** Nobody waits for its answer. */
  readonly isNotification: boolean;
}

const MEMBERS: ReadonlySet<string> = new Set(["jsonrpc", "method", "params", "id"]);

/**
 * A value of JSON → the call that every service reads in it (JSON-RPC 2.0 section 4). Further members are refused: to a
 * service in Go `METHOD` is the method.
 */
export function rpcCallOf(value: unknown): Result<RpcCall, string> {
  if (!isContainer(value) || Array.isArray(value)) return err("no object");
  const record = value as Readonly<Record<string, unknown>>;
  if (memberNames(record).some((name) => !MEMBERS.has(name))) return err("a member that is none of JSON-RPC's");
  const own = (name: string): unknown => (Object.hasOwn(record, name) ? record[name] : undefined);
  const [method, params, id] = [own("method"), own("params"), own("id")];
  if (own("jsonrpc") !== "2.0") return err("no version 2.0");
  if (typeof method !== "string" || method === "") return err("no method");
  if (params !== undefined && !isContainer(params)) return err("params that are neither object nor list");
  if (id !== undefined && id !== null && typeof id !== "string" && !isNumber(id)) return err("an id of another type");
  return ok({ method, params, isNotification: id === undefined });
}

/**
 * Ids of all calls of a body that ask for an answer, as JSON writes them; `null` for what is no id (JSON-RPC 2.0 section
 * 5). What is wrong with the calls counts for nothing.
 */
export function callIdsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((call) => {
    if (!isContainer(call) || Array.isArray(call)) return ["null"];
    const { id } = Object.hasOwn(call, "id") ? (call as { readonly id?: unknown }) : {};
    return id === undefined ? [] : [idText(id)];
  });
}

function idText(id: unknown): string {
  if (id instanceof JsonNumber) return id.text.length > DEFAULTS.jsonRpcIdCharsMax ? "null" : id.text;
  if (typeof id === "number") return JSON.stringify(id);
  return typeof id === "string" && id.length <= DEFAULTS.jsonRpcIdCharsMax ? JSON.stringify(id) : "null";
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof JsonNumber);
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || value instanceof JsonNumber;
}
