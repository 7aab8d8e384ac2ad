import type { CompiledSchema } from "../../../schema/compile.ts";
import { Validator } from "../../../schema/judge/validator.ts";
import { defaultOf } from "../../../schema/requests.ts";
import type { SanitiseRules } from "../../../schema/sanitise/place.ts";
import { Sanitiser } from "../../../schema/sanitise/sanitiser.ts";
import { inPlaceParts, memberParts, type Subschema } from "../../../schema/subschema.ts";
import type { RouteContext } from "../../filter.ts";
import type { BodyRules } from "../evaluate.ts";
import type { Part } from "../held-body.ts";
import type { ValidateSettings } from "../schema.ts";
import { judgeSanitised } from "./evaluate.ts";

const NOTHING: SanitiseRules = { undeclared: false, unknown: false, readOnly: false, defaults: false };

/** The part that changes bodies of JSON as the policy says, and has them judged. `path`: of the schema in the policy. */
export function compileSanitised(
  compiled: CompiledSchema,
  usual: Omit<BodyRules, "read" | "recogniser">,
  { body = {} }: ValidateSettings,
  path: readonly (string | number)[],
  context: RouteContext,
): Part {
  const rules: SanitiseRules = {
    undeclared: body.undeclared === "strip",
    unknown: body.stripUnknown === true,
    readOnly: body.readOnly === "strip",
    defaults: body.defaults === "fill",
  };
  if (rules.defaults) checkDefaults(compiled, path, context);
  const texts = { trims: body.trim === true, normalizes: body.normalize === "nfc" };
  const { root, judging } = compiled;
  const changesMembers = Object.values(rules).includes(true);
  const rewrites = body.rewrite === true;
  const sanitiser = (wanted: SanitiseRules) => new Sanitiser(root, wanted, (source) => judging.patternOf(source));
  return judgeSanitised({
    ...usual,
    // A body that fits has nothing that would come off; what else may be changed of it, a recogniser does not see.
    recogniser: rules.defaults || texts.trims || rewrites ? null : compiled.recogniser,
    texts,
    members: changesMembers ? sanitiser(rules) : null,
    fitting: rules.defaults ? sanitiser({ ...NOTHING, defaults: true }) : null,
    rewrites,
  });
}

/** A default that its own schema refuses would be filled in, and the body then be refused for it. */
function checkDefaults(
  { root, judging }: CompiledSchema,
  path: readonly (string | number)[],
  context: RouteContext,
): void {
  const known = new Set([root]);
  for (const schema of known) {
    for (const part of [...inPlaceParts(schema), ...memberParts(schema)]) known.add(part);
    for (const [name, member] of schema.object?.properties ?? []) checkDefault(name, member, judging, path, context);
  }
}

function checkDefault(
  name: string,
  member: Subschema,
  judging: CompiledSchema["judging"],
  path: readonly (string | number)[],
  context: RouteContext,
): void {
  const value = defaultOf(member);
  if (value === undefined || member.isNever) return;
  const [fault] = new Validator(judging.child(member), false, true, 1).judge(value) ?? [];
  if (fault === undefined) return;
  const text = `the default of '${name}' does not fit its schema: ${fault.pointer || "/"} ${fault.keyword}, ${fault.detail}`;
  const place = member.default?.site?.place ?? null;
  if (place === null) context.problem(text, ...path);
  else context.problemAt({ ...place, path: member.pointer }, text);
}
