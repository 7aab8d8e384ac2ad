import { isReserved } from "../../message/reserved-names.ts";
import type { CompileContext } from "../compile-context.ts";
import { RequestIds } from "./evaluate.ts";
import type { RequestIdSettings } from "./schema.ts";

/** Of each one the client's value counts, or another section writes it: an id in its place would be believed or lost. */
const TAKEN: ReadonlySet<string> = new Set([
  "traceparent",
  "tracestate",
  "authorization",
  "cookie",
  "set-cookie",
  "content-type",
  "content-encoding",
]);

/** Section `requestId`; null with a problem reported. `random`: so many bytes. */
export function compileRequestId(
  settings: RequestIdSettings,
  context: CompileContext,
  hasTrustedProxies: boolean,
  random: (bytes: number) => Buffer,
): RequestIds | null {
  const { header = "X-Request-Id", from = "anybody", traceContext = true } = settings;
  const lower = header.toLowerCase();
  if (isReserved(lower) || TAKEN.has(lower)) {
    context.problem(`'${header}' has a meaning of its own; expected a header like X-Request-Id`, "header");
    return null;
  }
  if (from === "trustedProxies" && !hasTrustedProxies) {
    context.warning("no_effect", "no listener has 'trustedProxies', so no id is ever passed on", "from");
  }
  return new RequestIds({ header: lower, from, traceContext, random });
}
