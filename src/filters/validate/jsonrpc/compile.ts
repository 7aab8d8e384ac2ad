import type { CompiledSchema } from "../../../schema/compile.ts";
import type { RouteContext } from "../../filter.ts";
import type { HoldRules, Part } from "../held-body.ts";
import { judgeJsonRpc, type ParamsRule } from "./evaluate.ts";
import type { JsonRpcSettings } from "./schema.ts";

/** `compileSchema`: file of a schema, at this place of the policy → its validator; null with a problem. */
export function compileJsonRpc(
  settings: JsonRpcSettings,
  showsErrors: boolean,
  hold: HoldRules,
  context: RouteContext,
  compileSchema: (name: string, ...path: readonly string[]) => CompiledSchema | null,
): Part {
  const allows = matcherOf(settings.methods);
  const params = new Map<string, ParamsRule>();
  for (const [method, file] of Object.entries(settings.paramsSchema ?? {})) {
    const path = ["jsonrpc", "paramsSchema", method] as const;
    if (!allows(method)) context.problem(`'${method}' is none of 'methods', so that nobody calls it`, ...path);
    const compiled = compileSchema(file, ...path);
    if (compiled !== null) params.set(method, { validator: compiled.validator, place: context.place(...path) });
  }
  const own = context.place("jsonrpc");
  const places = new Map(Object.keys(settings).map((key) => [key, context.place("jsonrpc", key)]));
  return judgeJsonRpc({
    hold,
    allows,
    notifications: settings.notifications !== "refuse",
    batchMax: settings.batch ?? 0,
    params,
    keepsValue: context.isBodyWanted(),
    showsErrors,
    placeOf: (key) => places.get(key) ?? own,
  });
}

function matcherOf(methods: readonly string[]): (method: string) => boolean {
  const names = new Set(methods.filter((name) => !name.includes("*")));
  const globs = methods.filter((name) => name.includes("*")).map((glob) => glob.split("*"));
  return (method) => names.has(method) || globs.some((pieces) => matches(method, pieces));
}

/** `pieces` stand in the text in this order, the first at its beginning and the last at its end. */
function matches(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  const end = text.length - last.length;
  if (!text.startsWith(first) || !text.endsWith(last) || end < first.length) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
