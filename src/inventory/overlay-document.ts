import { OBSERVED_EXTENSION } from "../openapi/extensions.ts";
import type { AdminAnswer } from "../resources/admin-room.ts";
import type { JsonObject } from "../support/json.ts";
import { err, ok } from "../support/result.ts";
import type { JudgedEntry } from "./entries.ts";
import { observed, pathItem } from "./openapi-document.ts";

/**
 * What was seen as an OpenAPI Overlay (1.0) of a document that the policy has: each of its operations gets `x-observed`, and what
 * the service answers below its base path without being declared is added.
 */
export function overlayOf(service: string, entries: readonly JudgedEntry[], wanted: string | null): AdminAnswer {
  const files = [...new Set(entries.flatMap(({ document }) => document?.file ?? []))];
  if (files.length === 0) {
    return err({
      status: 400,
      text: "the policy has no OpenAPI document to lay it over; as=openapi gives a whole one",
    });
  }
  const found = files.filter((file) => wanted === null || file === wanted || file.endsWith(`/${wanted}`));
  const [file] = found;
  if (file === undefined || found.length > 1) {
    return err({ status: 400, text: `expected document=FILE, one of: ${files.join(", ")}` });
  }
  return ok({
    overlay: "1.0.0",
    info: { title: `${service}, as it was seen`, version: "observed" },
    actions: [...declaredActions(entries, file), ...addedActions(entries, file)],
  });
}

function* declaredActions(entries: readonly JudgedEntry[], file: string): Generator<JsonObject> {
  for (const entry of entries) {
    const { document, method } = entry;
    if (document?.file !== file) continue;
    const target = `$.paths[${quoted(document.path)}].${method.toLowerCase()}`;
    yield { target, update: { [OBSERVED_EXTENSION]: observed(entry) } };
  }
}

function* addedActions(entries: readonly JudgedEntry[], file: string): Generator<JsonObject> {
  const base = entries.find(({ document }) => document?.file === file)?.document?.base ?? "";
  const declared = new Map(
    entries.flatMap(({ document, shape }) => (document?.file === file ? [[shape, document.path] as const] : [])),
  );
  const added = entries.filter(({ status, path }) => status === "undeclared" && path.startsWith(`${base}/`));
  for (const [shape, same] of Map.groupBy(added, (entry) => entry.shape)) {
    const known = declared.get(shape);
    const path = known ?? same[0]?.path.slice(base.length) ?? "/";
    const { parameters, ...operations } = pathItem(path, same);
    if (known !== undefined) yield { target: `$.paths[${quoted(known)}]`, update: operations };
    else
      yield {
        target: "$.paths",
        update: { [path]: { ...(parameters === undefined ? {} : { parameters }), ...operations } },
      };
  }
}

/** A name in a JSONPath (RFC 9535 section 2.3.1). */
function quoted(name: string): string {
  return `'${name.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
