import { noteFields } from "./fields.ts";
import type { Findings } from "./findings.ts";
import { mediaIn, type Reading, schemaAt } from "./media.ts";
import type { DescribedParameter, ParameterIn, Style } from "./operation.ts";
import type { Spot } from "./spot.ts";

const USUAL_STYLE: Readonly<Record<ParameterIn, Style>> = {
  path: "simple",
  query: "form",
  header: "simple",
  cookie: "form",
  querystring: "form",
};

/** Which styles stand where (OpenAPI 3.2 section 4.12.3). */
const STYLES: Readonly<Record<ParameterIn, readonly Style[]>> = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  header: ["simple"],
  cookie: ["form", "cookie"],
  querystring: [],
};

/** Headers that are no parameters: other parts of the description say them (OpenAPI 3.1 section 4.8.12.2). */
const NOT_PARAMETERS: ReadonlySet<string> = new Set(["accept", "content-type", "authorization"]);

/** Parameters of an operation: its own, and those of its path item that it does not write anew. */
export function parametersOf(item: Spot, operation: Spot, reading: Reading): readonly DescribedParameter[] {
  const found = new Map<string, DescribedParameter>();
  for (const owner of [item, operation]) {
    const own = new Set<string>();
    for (const [, written] of owner.at("parameters")?.all() ?? []) {
      const parameter = parameterAt(written, reading);
      if (parameter === null) continue;
      const key = `${parameter.in} ${parameter.in === "header" ? parameter.name.toLowerCase() : parameter.name}`;
      if (own.has(key)) {
        reading.findings.warning(
          parameter.place,
          `the parameter '${parameter.name}' stands twice; the last one counts`,
        );
      }
      own.add(key);
      found.set(key, parameter);
    }
  }
  return [...found.values()];
}

function parameterAt(written: Spot, reading: Reading): DescribedParameter | null {
  const { references, findings } = reading;
  const spot = references.follow(written, "the parameter is not enforced");
  if (spot === null) return null;
  noteFields(spot, "a parameter", findings);
  const name = spot.text("name");
  const where = spot.text("in");
  if (name === null || name === "") return lost(findings, spot, "'name' is missing");
  if (where === null || !isPlace(where)) {
    return lost(findings, spot, "'in' is expected to be path, query, header, cookie or querystring");
  }
  if (where === "header" && NOT_PARAMETERS.has(name.toLowerCase())) return null;
  const style = styleOf(spot, where, findings);
  const content = mediaIn(spot.at("content"), reading)[0] ?? null;
  return {
    name,
    in: where,
    style,
    explode:
      typeof spot.members["explode"] === "boolean" ? spot.flag("explode") : style === "form" || style === "cookie",
    allowReserved: spot.flag("allowReserved"),
    allowEmptyValue: spot.flag("allowEmptyValue"),
    required: where === "path" || spot.flag("required"),
    deprecated: spot.flag("deprecated"),
    schema: schemaAt(spot.at("schema"), reading),
    content,
    place: spot.place,
  };
}

function lost(findings: Findings, spot: Spot, text: string): null {
  findings.warning(spot.place, `${text}; the parameter is not enforced`);
  return null;
}

function isPlace(text: string): text is ParameterIn {
  return Object.hasOwn(USUAL_STYLE, text);
}

function styleOf(spot: Spot, where: ParameterIn, findings: Findings): Style {
  const usual = USUAL_STYLE[where];
  const style = spot.text("style");
  if (style === null || style === usual) return usual;
  const known = STYLES[where].find((one) => one === style);
  if (known !== undefined) return known;
  const choices = STYLES[where].join(", ");
  findings.warning(
    spot.at("style")?.place ?? spot.place,
    `style '${style}' has no meaning in a ${where}; expected one of: ${choices}. Read as ${usual}`,
  );
  return usual;
}
