import { randomBytes } from "node:crypto";
import { compileRequestId } from "../filters/request-id/compile.ts";
import { requestIdSchema } from "../filters/request-id/schema.ts";
import type { Path } from "./path.ts";
import { salvageContext } from "./salvage.ts";
import type { Work } from "./work.ts";

/** Section `requestId`. */
export function readRequestId(work: Work): void {
  const path: Path = ["requestId"];
  const value = work.reader.raw(path);
  if (value === undefined) return;
  const read = work.reader.readParts(requestIdSchema, value, path);
  if (read === null) return;
  const context = salvageContext(
    work.context((inner) => [...path, ...inner]),
    read,
  );
  const hasTrustedProxies = work.listeners.some(({ trustedProxies }) => trustedProxies !== null);
  // Section 'tracing' has the trace, where there is one.
  const isTraced = work.reader.raw(["tracing"]) !== undefined;
  const settings = isTraced ? { ...read.settings, traceContext: false } : read.settings;
  work.requestIds = compileRequestId(settings, context, hasTrustedProxies, randomBytes);
}
