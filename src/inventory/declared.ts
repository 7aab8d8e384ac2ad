import type { Place } from "../decision/verdict.ts";
import type { RouteId } from "./route-use.ts";

/** A route of the policy in force, or an operation of one of its documents, as the inventory knows it. */
export interface DeclaredRoute {
  readonly id: RouteId;
  /** Upper case; empty: the usual ones. */
  readonly methods: readonly string[];
  readonly place: Place;
  readonly isDeprecated: boolean;
  /** It takes what a document does not declare, and so declares nothing. */
  readonly isUndeclared: boolean;
  /** postern itself answers in place of the service. */
  readonly isAnswered: boolean;
}

/** An operation of an OpenAPI document. */
export interface DocumentPlace {
  readonly file: string;
  /** As the document has it, without base path. */
  readonly path: string;
  /** What its template has before that. */
  readonly base: string;
}

/** Null for a route that the policy has itself. */
export function documentPlaceOf({ id, place }: Pick<DeclaredRoute, "id" | "place">): DocumentPlace | null {
  const pointer = /^#\/paths\/([^/]+)\/[a-z]+$/.exec(place.path)?.[1];
  if (pointer === undefined) return null;
  const path = pointer.replaceAll("~1", "/").replaceAll("~0", "~");
  const shape = shapeText(path);
  const own = shapeText(id.template);
  const base = own.endsWith(shape) ? own.slice(0, own.length - shape.length) : "";
  return { file: place.file, path, base };
}

/** A template without the names of its parameters. */
export function shapeText(template: string): string {
  return template.replaceAll(/\{[^}]*\}/g, "{}");
}
