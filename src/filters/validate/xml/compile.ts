import type { CompiledSchema } from "../../../schema/compile.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import type { RouteContext } from "../../filter.ts";
import { type HoldRules, judgeHeld, judgeInLine, judgeInSteps, type Part } from "../held-body.ts";
import { judgeBySchema, judgeShortBySchema, judgeXml, type XmlRules } from "./evaluate.ts";
import { xmlPlanOf } from "./plan.ts";
import type { XmlSettings } from "./schema.ts";

/** `compileSchema`: by its name; null, with a problem, for none. */
export function compileXml(
  settings: XmlSettings,
  showsErrors: boolean,
  hold: HoldRules,
  context: RouteContext,
  compileSchema: (name: string) => CompiledSchema | null,
): Part {
  const { attributeBytes = DEFAULTS.xmlAttributeBytes } = settings;
  if (attributeBytes > DEFAULTS.xmlAttributeBytesMax) {
    const most = `${DEFAULTS.xmlAttributeBytesMax / 1024}KiB`;
    context.problem(`values of attributes are read in one go; expected at most ${most}`, "xml", "attributeBytes");
  }
  const rules = {
    limits: {
      depth: settings.depth ?? DEFAULTS.xmlDepth,
      elements: settings.elements ?? DEFAULTS.xmlElements,
      attributes: settings.attributes ?? DEFAULTS.xmlAttributes,
      attributeBytes,
      namespaces: settings.namespaces ?? DEFAULTS.xmlNamespaces,
      rebindings: settings.rebindings ?? DEFAULTS.xmlRebindings,
      textBytes: settings.textBytes ?? DEFAULTS.xmlTextBytes,
      processingInstructions: settings.processingInstructions === "allow",
    },
    showsErrors,
    place: context.place("xml"),
  };
  const compiled = settings.schema === undefined ? null : compileSchema(settings.schema);
  const bySchema = compiled === null ? null : judgedBySchema(compiled, rules, hold, context);
  return (
    bySchema ?? judgeHeld(hold, (bytes, exchange) => judgeInSteps(exchange, hold, bytes.length, judgeXml(bytes, rules)))
  );
}

/** Null, with a problem, where the schema has no one reading as XML. */
function judgedBySchema(
  { root, validator }: CompiledSchema,
  rules: XmlRules,
  hold: HoldRules,
  context: RouteContext,
): Part | null {
  const plan = xmlPlanOf(root);
  if (!plan.ok) {
    context.problem(`the schema has no one reading as XML: ${plan.error}`, "xml", "schema");
    return null;
  }
  const place = context.place("xml", "schema");
  const own = { ...rules, root: plan.value, validator, schemaPlace: place, keepsValue: context.isBodyWanted() };
  return judgeHeld(hold, async (bytes, exchange) => {
    const isShort = bytes.length <= validator.atOnceBytesMax;
    const verdict = isShort ? await judgeShortBySchema(bytes, exchange, own) : "later";
    if (verdict !== "later") return verdict;
    return judgeInLine(exchange, hold, bytes.length, (begin) => judgeBySchema(bytes, exchange, own, begin()));
  });
}
