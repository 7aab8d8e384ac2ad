import type { Attribute } from "../attributes/attribute.ts";
import { parseFilled, textOf } from "../attributes/filled-text.ts";
import { Denial, type Place } from "../decision/verdict.ts";
import { paramNames, parseTemplate, type Template } from "../matching/template.ts";
import type { Exchange } from "../message/exchange.ts";
import { keptTarget } from "../message/kept-target.ts";
import { canonicalTarget } from "../message/target.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** Of a route's context. */
export interface RouteOfPath {
  readonly template: string;
  readonly clock: Pick<Clock, "wallMs">;
}

/** A parameter of the route's path, as it stands there; `behind`: what follows so many segments, with its slash. */
type PathPiece = string | Attribute | { readonly param: number } | { readonly behind: number };

/** Writes a path of a request's own: what is filled in stays within its segment, and the whole is canonical. */
export class PathWriter {
  readonly #pieces: readonly PathPiece[];
  readonly #place: Place;
  /** Of paths that it writes: the shape of a route's template, where `{}` is any segment. */
  readonly shape: string;

  constructor(pieces: readonly PathPiece[], place: Place, shape: string) {
    this.#pieces = pieces;
    this.#place = place;
    this.shape = shape;
  }

  /** `keeps`: what of the client's path may stand in it as it came, of `KEPT`. */
  write(exchange: Exchange, keeps: number): string | Denial {
    let path = "";
    for (const piece of this.#pieces) {
      if (typeof piece === "string") path += piece;
      else if ("param" in piece) path += exchange.params[piece.param] ?? "";
      else if ("behind" in piece) path += restOf(exchange.target.path, piece.behind);
      else {
        const filled = this.#fill(piece, exchange);
        if (filled instanceof Denial) return filled;
        path += filled;
      }
    }
    // Of `/v1/**` with nothing behind it, as of `/` itself.
    if (path === "") path = "/";
    const target = keptTarget(path, keeps);
    // What would be another path to who reads it again, as one with dot segments, is none that was judged.
    if (target.ok && target.value.target.path === path && !path.startsWith("//")) return path;
    const seen = target.ok ? "a path with another canonical form" : target.error.seen;
    return new Denial("target_ambiguous", this.#place, `what it is rewritten to: ${seen}`, "one canonical path");
  }

  #fill(piece: Attribute, exchange: Exchange): string | Denial {
    const text = textOf(piece, exchange);
    if (text === null)
      return new Denial("attribute_missing", this.#place, `${piece.text} (absent)`, "a value to write into the path");
    const isDots = text === "." || text === "..";
    if (!isDots && text.length <= DEFAULTS.identityHeaderBytesMax && canonicalTarget(`/${encodeURIComponent(text)}`).ok)
      return encodeURIComponent(text);
    return new Denial("attribute_mismatch", this.#place, `${piece.text} (not shown)`, "a value of one path segment");
  }
}

/** What stands behind the first `segments` of a path: empty, or with the slash before it. */
function restOf(path: string, segments: number): string {
  let at = 0;
  for (let left = segments; left > 0 && at >= 0; left--) at = path.indexOf("/", at + 1);
  return at < 0 ? "" : path.slice(at);
}

/** A path as the policy has it, `/internal/{id}/**` → its writer, or what is wrong with it. `ownText`: see `parseFilled`. */
export function pathWriter(
  text: string,
  ownText: string,
  route: Template,
  context: RouteOfPath,
  place: Place,
): Result<PathWriter, string> {
  const hasRest = ownText.endsWith("/**");
  if (hasRest && !route.hasRest) return err("the route's path has no ** at its end; expected a path without it");
  const own = hasRest ? text.slice(0, -3) : text;
  const parameters = paramNames(route);
  const scope = { phase: "rewrite", parameters, route: context.template, clock: context.clock } as const;
  const param = (name: string) => (parameters.includes(name) ? { param: parameters.indexOf(name) } : null);
  const pieces = parseFilled(own, scope, hasRest ? ownText.slice(0, -3) : ownText, param);
  if (!pieces.ok) return pieces;
  const sample = pieces.value.map((piece) => (typeof piece === "string" ? piece : "x")).join("");
  const fault = faultOf(hasRest ? `${sample}/x` : sample);
  if (fault !== null) return err(fault);
  const shape = own.split("/").map((part) => (part.includes("{") ? "{}" : part));
  return ok(
    new PathWriter(
      hasRest ? [...pieces.value, { behind: route.segments.length }] : pieces.value,
      place,
      [...shape, ...(hasRest ? ["**"] : [])].join("/"),
    ),
  );
}

/** The route's path with its first segments exchanged. */
export function prefixWriter(from: string, to: string, route: Template, place: Place): Result<PathWriter, string> {
  const [left, right] = [withoutSlash(from), withoutSlash(to)];
  const fault = faultOf(left === "" ? "/" : left) ?? faultOf(right === "" ? "/" : right);
  if (fault !== null) return err(fault);
  const segments = left.split("/").slice(1);
  const isPrefix = segments.every((segment, at) => {
    const own = route.segments[at];
    return own?.kind === "static" && own.text === segment;
  });
  if (!isPrefix) return err(`the route's path does not begin with the segments of '${from}'`);
  const behind = route.segments.slice(segments.length).map((one) => (one.kind === "static" ? one.text : "{}"));
  const rest = [...behind, ...(route.hasRest ? ["**"] : [])];
  const shape = rest.length === 0 && right !== "" ? right : `${right}/${rest.join("/")}`;
  return ok(new PathWriter([right, { behind: segments.length }], place, shape));
}

export function withoutSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

function faultOf(sample: string): string | null {
  if (/[{}*]/.test(sample)) return "expected text, {parameter} or {attribute} in its segments, and ** only at its end";
  const target = canonicalTarget(sample);
  if (!target.ok) return `no request can have this path: ${target.error.seen}; expected ${target.error.wanted}`;
  if (target.value.query !== "") return "expected a path without ?";
  return target.value.path === sample ? null : `'${sample}' is not canonical; expected '${target.value.path}'`;
}

/** Of a route whose template is sound; null else, for that is told already. */
export function templateOf(context: RouteOfPath): Template | null {
  const template = parseTemplate(context.template);
  return template.ok ? template.value : null;
}
