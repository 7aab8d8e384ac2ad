import type { Place } from "../../decision/verdict.ts";
import type { PolicyDocument } from "../document.ts";
import type { Path } from "../path.ts";
import { isMapping, type RouteEntry } from "./entry.ts";

/** A route of the policy's own, by its number in the list, or one that stands elsewhere. */
export type RouteSource = number | RouteEntry;

/** The policy with routes that stand in other files, as one document: each stage reads them as if they stood in its list. */
export function withRoutes(document: PolicyDocument, routes: readonly RouteSource[], usual: Path): PolicyDocument {
  const own = isMapping(document.value) ? document.value : {};
  const written: readonly unknown[] = Array.isArray(own["routes"]) ? own["routes"] : [];
  const list = routes.map((route) => (typeof route === "number" ? written[route] : route.value));
  const value: Record<string, unknown> = Object.assign(Object.create(null), own, { routes: list });
  const lead = <T>(path: Path, here: (path: Path) => T, elsewhere: (entry: RouteEntry, inner: Path) => T): T => {
    const [section, at, ...inner] = path;
    if (section !== "routes") return here(path);
    if (typeof at !== "number") return here(own["routes"] === undefined ? usual : path);
    const route = routes[at];
    if (route === undefined) return here(path);
    return typeof route === "number" ? here(["routes", route, ...inner]) : elsewhere(route, inner);
  };
  const place = (path: Path): Place => lead(path, document.place, (entry, inner) => entry.place(inner));
  return {
    file: document.file,
    value,
    place,
    placeWithin: (path, offset) =>
      lead(
        path,
        (own) => document.placeWithin(own, offset),
        (entry, inner) => entry.place(inner),
      ),
    keyPlace: (path) => lead(path, document.keyPlace, (entry, inner) => entry.place(inner)),
  };
}
