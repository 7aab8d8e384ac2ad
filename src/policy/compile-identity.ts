import { attributeName, bindAttribute } from "../attributes/attribute.ts";
import { IdentityHeader, type IdentityLine } from "../filters/request/identity.ts";
import { paramNames, parseTemplate } from "../matching/template.ts";
import { canonicalName, isReserved } from "../message/reserved-names.ts";
import { compileToken, faultOfAttribute } from "./compile-identity-token.ts";
import type { Path } from "./path.ts";
import { identityShape } from "./section-schema.ts";
import type { Work } from "./work.ts";

/** Section `identity`. */
export function compileIdentity(work: Work): void {
  const path: Path = ["identity"];
  if (work.reader.raw(path) === undefined) return;
  const { headers = {}, token } = work.reader.fields(identityShape, path);
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
  if (token === undefined) return;
  const { header = token.profile === "transaction" ? "txn-token" : "x-identity-token" } = token;
  const name = header.toLowerCase();
  const fault = faultOfName(canonicalName(name), seen);
  if (fault !== null) work.problem(fault.replace("NAME", header), [...path, "token", "header"]);
  const line = compileToken(work, name, token, [...path, "token"]);
  if (fault === null) work.identityToken = line;
}

function faultOfName(canonical: string, seen: ReadonlySet<string>): string | null {
  if (isReserved(canonical)) return "postern writes 'NAME' itself; expected another name";
  return seen.has(canonical) ? "'NAME' is set twice; expected one spelling" : null;
}

/** The headers as they are written on one route; one that says a path parameter is not written where there is none. */
export function identityLines(work: Work, template: string): readonly IdentityLine[] {
  const parsed = parseTemplate(template);
  const parameters = parsed.ok ? paramNames(parsed.value) : null;
  const token = work.identityToken === null ? [] : [work.identityToken({ template, parameters })];
  const headers = work.identity.map((setting) => {
    const { name, attribute } = setting;
    const scope = { phase: "rewrite", parameters, route: template, clock: work.inputs.clock } as const;
    const bound = bindAttribute(attribute, scope);
    if (bound.ok) setting.isUsed = true;
    const written =
      attribute.row.name === "path" ? (parameters ?? []).join("/") : attribute.row.name === "route" ? template : "";
    const read = bound.ok ? bound.value.read : () => undefined;
    const where = bound.ok ? written : null;
    return new IdentityHeader(name, { ...attribute, type: attribute.row.type, read }, where);
  });
  return [...headers, ...token];
}

/** Stage: a parameter that no route has is a slip of the pen. */
export function checkIdentity(work: Work): void {
  if (!work.isWhole) return;
  for (const { attribute, path, isUsed } of [...work.identity, ...work.identityContext]) {
    if (!isUsed) work.problem(`no route has '${attribute.text}', so that this is never written`, path);
  }
}
