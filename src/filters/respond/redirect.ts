import { type Piece, parseFilled } from "../../attributes/filled-text.ts";
import { paramNames, shapeOf, type Template } from "../../matching/template.ts";
import { canonicalTarget } from "../../message/target.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { pathWriter, templateOf } from "../path-writer.ts";
import { Redirect, type RedirectParts } from "./evaluate.ts";
import { type RedirectSettings, redirectSchema } from "./schema.ts";

/** Braces are in none of it: who is asked next is no client's to say. */
const TO =
  /^(https?:\/\/(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?)?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/;

/** `redirect`: postern sends clients elsewhere. */
export const redirectFilter = defineFilter<RedirectSettings>({
  name: "redirect",
  defaults: "override",
  schema: redirectSchema,
  compile(settings, context) {
    const template = templateOf(context);
    if (template === null) return;
    const redirect = compileRedirect(settings, template, context);
    if (redirect.ok) context.setRouteAnswer(redirect.value);
    else context.problem(redirect.error, "to");
  },
});

function compileRedirect(
  { to, status = 307, query }: RedirectSettings,
  template: Template,
  context: RouteContext,
): Result<Redirect, string> {
  const [, origin = "", path = "", ownQuery, fragment = ""] = TO.exec(to) ?? [];
  if (origin === "" && path === "")
    return err(
      "expected a path, or http:// or https:// with a fixed host in lower case, as in https://example.org/orders/{id}",
    );
  const own = context.ownText(to).slice(origin.length);
  const ownPath = own.slice(0, path.length);
  const writer = pathWriter(path || "/", ownPath || "/", template, context, context.place("to"));
  if (!writer.ok) return writer;
  if (origin === "" && writer.value.shape === shapeOf(template) && ownQuery === undefined)
    return err("this leads to the route itself, again and again; expected another path or host");
  if (origin.startsWith("http:"))
    context.warning("in_the_clear", "whoever sits on the way reads and changes what goes on over http:", "to");
  if (ownQuery !== undefined && query === "keep")
    return err("'to' has a query of its own; expected none, or 'query: drop'");
  const behind = own.slice(path.length);
  const parts = partsOf(origin, ownQuery ?? (query === "drop" ? "" : null), fragment, behind, template, context);
  return parts.ok ? ok(new Redirect(context.place(), status, writer.value, parts.value)) : parts;
}

/** `ownText`: of query and fragment. */
function partsOf(
  origin: string,
  query: string | null,
  fragment: string,
  ownText: string,
  template: Template,
  context: RouteContext,
): Result<RedirectParts, string> {
  const length = query?.length ?? 0;
  const own = query === null ? ok(null) : textPieces(query, ownText.slice(0, length), template, context);
  if (!own.ok) return own;
  const end = textPieces(fragment, ownText.slice(length), template, context);
  return end.ok ? ok({ origin, query: own.value, fragment: end.value }) : end;
}

function textPieces(
  text: string,
  ownText: string,
  template: Template,
  context: RouteContext,
): Result<readonly Piece[], string> {
  const parameters = paramNames(template);
  const scope = { phase: "rewrite", parameters, route: context.template, clock: context.clock } as const;
  const pieces = parseFilled(text, scope, ownText);
  if (!pieces.ok) return pieces;
  const sample = pieces.value.map((piece) => (typeof piece === "string" ? piece : "x")).join("");
  const target = canonicalTarget(`/?${sample.slice(1)}`);
  if (/[{}\s]/.test(sample) || !target.ok || target.value.query !== `?${sample.slice(1)}`)
    return err(
      "expected characters of a URL behind its path, and {attributes}; a parameter of the path is {path.name} there",
    );
  return pieces;
}
