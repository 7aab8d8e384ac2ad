import { corsSchema } from "../../filters/cors/schema.ts";
import type { CorsExtension } from "../../openapi/cors-extension.ts";
import type { Operation } from "../../openapi/operation.ts";
import { placeOf, type RouteEntry } from "./entry.ts";

/**
 * What another gateway's CORS of an operation amounts to as the route's `cors`: listed origins as they are. What would let in
 * more than a policy may is not read, and told.
 */
export function addCors(
  entry: RouteEntry,
  { extensions, method, pointer }: Operation,
  loose: (what: string, place: CorsExtension["place"]) => void,
): void {
  const { cors } = extensions;
  if (cors === null) return;
  const { name, place, methods } = cors;
  const fault = cors.fault ?? faultOf(cors);
  if (fault !== null) {
    loose(`${name} (${fault})`, place);
    return;
  }
  // It is no page's there either.
  if (methods !== null && !methods.includes(method)) return;
  entry.set(["cors"], settingsOf(cors), () => placeOf(place, pointer));
}

function faultOf(cors: CorsExtension): string | null {
  if (cors.credentials && cors.origins.includes("*")) return "any page could act as the user who looks at it";
  // A regular expression there, and every name below a domain here.
  if (cors.origins.some((origin) => origin !== "*" && origin.includes("*"))) return "origins by pattern";
  const parsed = corsSchema.safeParse(settingsOf(cors));
  if (parsed.success) return null;
  const [issue] = parsed.error.issues;
  return issue?.path[0] === "origins"
    ? "origins that are no list of origins as browsers send them"
    : "what 'cors' does not have";
}

function settingsOf({ origins, headers, exposeHeaders, credentials, maxAgeSeconds }: CorsExtension): object {
  return {
    origins,
    ...(headers.length > 0 && !headers.includes("*") ? { headers } : {}),
    ...(exposeHeaders.length > 0 ? { exposeHeaders } : {}),
    ...(credentials ? { credentials } : {}),
    ...(maxAgeSeconds === null ? {} : { maxAge: `${maxAgeSeconds}s` }),
  };
}
