import { type Piece, parseFilled } from "../../attributes/filled-text.ts";
import { METHOD_PARAMETERS } from "../../bodies/method-parameters.ts";
import { foldName, namesRead } from "../../bodies/names.ts";
import { paramNames, shapeOf, type Template } from "../../matching/template.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { type PathWriter, pathWriter, prefixWriter, templateOf, withoutSlash } from "../path-writer.ts";
import { TargetRewrite } from "./evaluate.ts";
import { QueryRewrite } from "./query.ts";
import { type QuerySettings, type RewriteSettings, rewriteSchema } from "./schema.ts";

/** `rewrite`: another target for the service than the client's, which is what is judged. */
export const rewriteFilter = defineFilter<RewriteSettings>({
  name: "rewrite",
  defaults: "override",
  insteadOf: ["path", "prefix"],
  schema: rewriteSchema,
  compile(settings, context) {
    const { host, prefix } = settings;
    const template = templateOf(context);
    if (template === null) return;
    const path = compilePath(settings, template, context);
    const ends = prefix === undefined ? null : { from: withoutSlash(prefix.from), to: withoutSlash(prefix.to) };
    const query = settings.query === undefined ? null : compileQuery(settings.query, template, context);
    context.setTargetRewrite(new TargetRewrite(context.place(), path, query, host ?? null, ends, shapeOf(template)));
  },
});

function compilePath({ path, prefix }: RewriteSettings, route: Template, context: RouteContext): PathWriter | null {
  if (path !== undefined && prefix !== undefined) {
    context.problem("both 'path' and 'prefix'; expected one of them", "prefix");
    return null;
  }
  if (path !== undefined) {
    const writer = pathWriter(path, context.ownText(path), route, context, context.place("path"));
    if (writer.ok) return writer.value;
    context.problem(writer.error, "path");
  }
  if (prefix === undefined) return null;
  const writer = prefixWriter(prefix.from, prefix.to, route, context.place("prefix"));
  if (writer.ok) return writer.value;
  context.problem(writer.error, "prefix");
  return null;
}

function compileQuery(
  { set = {}, remove = [], rename = {} }: QuerySettings,
  route: Template,
  context: RouteContext,
): QueryRewrite {
  const scope = {
    phase: "rewrite",
    parameters: paramNames(route),
    route: context.template,
    clock: context.clock,
  } as const;
  const written = new Set<string>();
  const check = (name: string, ...path: readonly string[]): void => {
    const folded = foldName(name);
    if (written.has(folded)) context.problem(`'${name}' is written twice; expected it once`, "query", ...path);
    written.add(folded);
    // Under the client's name nobody looked for a method in it.
    if (METHOD_PARAMETERS.some((one) => namesRead(one).includes(folded)))
      context.problem(`services read another method from '${name}'; expected another name`, "query", ...path);
  };
  const filled: (readonly [string, readonly Piece[]])[] = [];
  for (const [name, text] of Object.entries(set)) {
    check(name, "set", name);
    const pieces = parseFilled(text, scope, context.ownText(text));
    if (pieces.ok) filled.push([name, pieces.value]);
    else context.problem(pieces.error, "query", "set", name);
  }
  for (const [from, to] of Object.entries(rename)) check(to, "rename", from);
  for (const [at, name] of remove.entries()) {
    if (Object.hasOwn(rename, name))
      context.problem(`'${name}' is in 'rename', too; expected one of the two`, "query", "remove", at);
  }
  return new QueryRewrite(filled, new Map(Object.entries(rename)), remove, context.place("query"));
}
