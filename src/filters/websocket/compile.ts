import { DEFAULTS } from "../../support/defaults.ts";
import { defineFilter } from "../filter.ts";
import { OriginCheck } from "./evaluate.ts";
import { type WebSocketSettings, webSocketSchema } from "./schema.ts";

/** `websocket`: whether a route takes WebSockets, from whose pages, and what one may do. */
export const webSocketFilter = defineFilter<WebSocketSettings>({
  name: "websocket",
  defaults: "override",
  schema: webSocketSchema,
  compile(settings, context) {
    if (context.methods.length > 0 && !context.methods.includes("GET")) {
      context.problem("a WebSocket begins with GET; expected GET in 'methods'");
    }
    const given = settings === true ? {} : settings;
    const { maxFrame = DEFAULTS.websocketFrameBytesMax, maxLifetime = Number.POSITIVE_INFINITY, mode = 100 } = given;
    context.setWebSocket({ frameBytesMax: maxFrame, lifetimeMs: maxLifetime });
    const place = given.origins === undefined ? context.place() : context.place("origins");
    context.addCheck(new OriginCheck(given.origins ?? null, place, mode));
  },
});
