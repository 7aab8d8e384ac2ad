import { DEFAULTS } from "../../../support/defaults.ts";
import type { RouteContext } from "../../filter.ts";
import { type HoldRules, judgeHeld, judgeInSteps, type Part } from "../held-body.ts";
import { judgeXml } from "./evaluate.ts";
import type { XmlSettings } from "./schema.ts";

export function compileXml(settings: XmlSettings, showsErrors: boolean, hold: HoldRules, context: RouteContext): Part {
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
  return judgeHeld(
    hold,
    judgeInSteps(hold, (bytes) => judgeXml(bytes, rules)),
  );
}
