import { HeaderBlock } from "../../message/headers.ts";
import { HOP_BY_HOP } from "../../message/reserved-names.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { CannedAnswer } from "./evaluate.ts";
import { type RespondSettings, respondSchema } from "./schema.ts";

/** `respond`: postern answers in place of the service. */
export const respondFilter = defineFilter<RespondSettings>({
  name: "respond",
  defaults: "override",
  insteadOf: ["body", "json"],
  schema: respondSchema,
  compile(settings, context) {
    const { status = 200, body, json } = settings;
    if (body !== undefined && json !== undefined)
      context.problem("both 'body' and 'json'; expected one of them", "json");
    const key = json === undefined ? "body" : "json";
    const text = json === undefined ? (body ?? "") : JSON.stringify(json);
    // RFC 9110 section 15.3: neither may have a body.
    if (text !== "" && (status === 204 || status === 205)) {
      context.problem(`an answer of status ${status} has no body; expected none, or another status`, key);
    }
    const headers = headersOf(settings, text !== "", context);
    context.setRouteAnswer(new CannedAnswer(context.place(), { status, headers, body: Buffer.from(text) }));
  },
});

function headersOf({ headers = {}, json }: RespondSettings, hasBody: boolean, context: RouteContext): HeaderBlock {
  const lines = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || lower === "date") context.problem(`postern writes '${name}' itself`, "headers", name);
    else if (lines.has(lower)) context.problem(`'${name}' is set twice; expected one spelling`, "headers", name);
    else if (lower === "location") context.problem("expected 'redirect' to send clients elsewhere", "headers", name);
    lines.set(lower, value);
  }
  const usual = json === undefined ? "text/plain; charset=utf-8" : "application/json";
  if (hasBody && !lines.has("content-type")) lines.set("content-type", usual);
  return new HeaderBlock([...lines.keys()], [...lines.values()]);
}
