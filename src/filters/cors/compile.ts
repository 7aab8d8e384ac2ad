import { USUAL_METHODS } from "../../message/method.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { Cors } from "./evaluate.ts";
import { OriginList } from "./origin-list.ts";
import { type CorsSettings, corsSchema, originRule } from "./schema.ts";
import { OWN_HEADERS } from "./unrouted.ts";

/** What the service says of other origins is replaced. */
const SERVICE_HEADERS = [
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-allow-private-network",
  "access-control-expose-headers",
  "access-control-max-age",
] as const;

/** `cors`: whose pages may call this from a browser. */
export const corsFilter = defineFilter<CorsSettings>({
  name: "cors",
  defaults: "override",
  schema: corsSchema,
  compile(settings, context) {
    if (!isSound(settings, context)) return;
    const { credentials = false } = settings;
    const methods = settings.methods ?? (context.methods.length === 0 ? USUAL_METHODS : context.methods);
    const cors = new Cors({
      place: context.place(),
      origins: new OriginList(settings.origins.map(originRule)),
      credentials,
      privateNetwork: settings.privateNetwork ?? false,
      refusesOthers: settings.others === "refuse",
      maxAgeSeconds: Math.floor((settings.maxAge ?? DEFAULTS.corsMaxAgeMs) / 1000),
      methods: [...new Set(methods)],
      headers: lower([
        "content-type",
        ...context.credentialHeaders,
        ...context.declaredHeaders,
        ...(settings.headers ?? []),
      ]),
      exposeHeaders: lower([...OWN_HEADERS, ...(settings.exposeHeaders ?? [])]),
    });
    context.setCors(cors);
    context.removeResponseHeaders(SERVICE_HEADERS);
    if (cors.varies) context.addResponseHeaders([], [["vary", "Origin"]]);
    context.addCheck({
      name: "cors",
      phase: "match",
      place: context.place(),
      enforcePercent: 100,
      evaluate: (exchange) => cors.judge(exchange),
      explain: (exchange) => cors.describe(exchange),
    });
  },
});

/** Reports what a browser would not take, and what opens more than it seems to. */
function isSound(settings: CorsSettings, context: RouteContext): boolean {
  const { origins, credentials, methods } = settings;
  const any = origins.indexOf("*");
  if (any >= 0 && credentials === true) {
    const text = "any page could act as the user who looks at it; expected origins by name, or no 'credentials'";
    context.problem(text, "origins", any);
    return false;
  }
  for (const key of ["headers", "exposeHeaders"] as const) {
    const at = settings[key]?.indexOf("*") ?? -1;
    if (at < 0 || credentials !== true) continue;
    context.problem("with credentials browsers take * for the name of a header; expected the names", key, at);
    return false;
  }
  if (any >= 0 && origins.length > 1) context.warning("no_effect", "beside * the others say nothing", "origins", any);
  for (const [at, origin] of origins.entries()) {
    const isHere = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]|[^/]*\.localhost)(?::|$)/.test(origin);
    if (credentials === true && origin.startsWith("http://") && !isHere) {
      context.warning(
        "in_the_clear",
        "whoever sits on the way can change a page of http: and act as its user",
        "origins",
        at,
      );
    }
  }
  const taken = context.methods;
  for (const [at, method] of (methods ?? []).entries()) {
    const isHead = method === "HEAD" && taken.includes("GET");
    if (taken.length > 0 && !taken.includes(method) && !isHead) {
      context.warning("no_effect", `the route does not take ${method}`, "methods", at);
    }
  }
  return true;
}

function lower(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))].sort();
}
