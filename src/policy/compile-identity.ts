import { type AttributeName, attributeName, bindAttribute } from "../attributes/attribute.ts";
import { IdentityHeader } from "../filters/request/identity.ts";
import { paramNames, parseTemplate } from "../matching/template.ts";
import { canonicalName, isReserved } from "../message/reserved-names.ts";
import type { Path } from "./path.ts";
import { identityShape } from "./schema.ts";
import type { Work } from "./work.ts";

/** Section `identity`. */
export function compileIdentity(work: Work): void {
  const path: Path = ["identity"];
  if (work.reader.raw(path) === undefined) return;
  const { headers = {} } = work.reader.fields(identityShape, path);
  const seen = new Set<string>();
  for (const [name, text] of Object.entries(headers)) {
    const at = [...path, "headers", name];
    const canonical = canonicalName(name.toLowerCase());
    const attribute = attributeName(text);
    const fault = faultOfName(canonical, seen) ?? (attribute.ok ? faultOfAttribute(attribute.value) : attribute.error);
    seen.add(canonical);
    if (fault !== null) work.problem(fault.replace("NAME", name), at);
    else if (attribute.ok) {
      work.identity.push({ name: name.toLowerCase(), attribute: attribute.value, path: at, isUsed: false });
    }
  }
}

function faultOfName(canonical: string, seen: ReadonlySet<string>): string | null {
  if (isReserved(canonical)) return "postern writes 'NAME' itself; expected another name";
  return seen.has(canonical) ? "'NAME' is set twice; expected one spelling" : null;
}

/** What the client says of itself is no identity. */
function faultOfAttribute({ row, text }: AttributeName): string | null {
  if (!["request.headers", "query", "body"].includes(row.name)) return null;
  return `'${text}' is what the client says; expected what postern knows of the caller, as principal.id or jwt.tenant`;
}

/** The headers as they are written on one route; one that says a path parameter is not written where there is none. */
export function identityHeaders(work: Work, template: string): readonly IdentityHeader[] {
  if (work.identity.length === 0) return [];
  const parsed = parseTemplate(template);
  const parameters = parsed.ok ? paramNames(parsed.value) : null;
  return work.identity.map((setting) => {
    const { name, attribute } = setting;
    const scope = { phase: "rewrite", parameters, route: template, clock: work.inputs.clock } as const;
    const bound = bindAttribute(attribute, scope);
    if (bound.ok) setting.isUsed = true;
    const where =
      attribute.row.name === "path" ? (parameters ?? []).join("/") : attribute.row.name === "route" ? template : "";
    const read = bound.ok ? bound.value.read : () => undefined;
    return new IdentityHeader(name, { ...attribute, type: attribute.row.type, read }, where);
  });
}

/** Stage: a parameter that no route has is a slip of the pen. */
export function checkIdentity(work: Work): void {
  if (!work.isWhole) return;
  for (const { attribute, path, isUsed } of work.identity) {
    if (!isUsed) work.problem(`no route has '${attribute.text}', so that this is never written`, path);
  }
}
