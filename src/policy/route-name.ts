import { USUAL_METHODS } from "../message/method.ts";
import type { Route } from "./snapshot.ts";

/** What of a route tells it from all others of its policy. */
export type RouteWhere = Pick<Route, "template" | "methods" | "hosts" | "versions">;

/** All that it takes; HEAD passes with GET. */
export function methodsOf({ methods }: Pick<RouteWhere, "methods">): readonly string[] {
  if (methods.length === 0) return USUAL_METHODS;
  return methods.includes("GET") ? [...new Set([...methods, "HEAD"])] : methods;
}

/** `GET|POST`; HEAD passes with GET, so that only one that stands alone is named. */
export function methodWords(methods: readonly string[]): string {
  if (USUAL_METHODS.every((method) => methods.includes(method))) return "usual methods";
  const named = methods.includes("GET") ? methods.filter((method) => method !== "HEAD") : methods;
  return named.toSorted().join("|");
}

/** Where a route is, but for its methods; ` /v1/orders`. */
export function placeOf({ template, hosts, versions }: RouteWhere): string {
  const host = hosts.length === 0 ? "" : ` on ${hosts.toSorted().join("|")}`;
  return ` ${template}${host}${versions.length === 0 ? "" : ` version ${versions.toSorted().join("|")}`}`;
}

/** Which requests a route is for, as people read it: `GET|POST /v1/orders on api.example.org`. */
export function routeName(route: RouteWhere): string {
  return methodWords(methodsOf(route)) + placeOf(route);
}
