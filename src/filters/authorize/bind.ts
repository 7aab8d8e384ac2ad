import { type Attribute, type AttributeName, bindAttribute, withoutCredential } from "../../attributes/attribute.ts";
import { paramNames, parseTemplate } from "../../matching/template.ts";
import { err, type Result } from "../../support/result.ts";
import type { RouteContext } from "../filter.ts";
import type { Path } from "./evaluate.ts";

/** What the route has to do for a rule that reads this attribute. */
export function noteUse({ row }: AttributeName, path: Path, context: RouteContext): void {
  if (row.name === "body") context.wantBody(context.place(...path));
  if (row.name === "request.method") context.judgeMethod();
}

/** An attribute as a rule of this route reads it: in phase `validate` if it is of the body, else in phase `authorize`. */
export function bindFor(
  name: AttributeName,
  { isPublic, template, clock, isCredentialHeader }: RouteContext,
): Result<Attribute, string> {
  const { row, rest, text } = name;
  if (isPublic && row.from === "authorize") {
    return err(`a public route has no caller, so that '${text}' is never there; expected 'authenticate'`);
  }
  const parsed = parseTemplate(template);
  // In `defaults` no route is known yet; with each one they compile again.
  const parameters = parsed.ok ? paramNames(parsed.value) : rest;
  const phase = row.from === "validate" ? "validate" : "authorize";
  const bound = bindAttribute(withoutCredential(name, isCredentialHeader), {
    phase,
    parameters,
    route: template,
    clock,
  });
  return bound.ok ? bound : err(`${bound.error} (${template})`);
}
