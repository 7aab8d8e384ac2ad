import { decodeStrictly } from "../../bodies/form.ts";
import { type EscapedValues, readQueryStyle } from "../../bodies/parameter-styles.ts";
import { judgeParameter, type Parameter } from "./parameters.ts";

const ESCAPED_COMMA = /%2c/gi;

/** Whether commas part the value of a parameter of a query: `fields=id,name`. */
export function hasCommas({ styled: { style, explode, shape }, isJson }: Parameter): boolean {
  return style === "form" && !explode && shape !== "primitive" && !isJson;
}

/**
 * `URLSearchParams`, and the clients made of it, write `fields=id%2Cname`: two items to who decodes first, one to who splits
 * first. Where not both of them fit, the commas are meant to part, and stand as they are for everybody.
 */
export function withPlainCommas(parameter: Parameter, escaped: string): string {
  if (escaped.search(ESCAPED_COMMA) < 0) return escaped;
  const readings = readQueryStyle(parameter.styled, new Map([[parameter.name, [escaped]]]));
  return judgeParameter(parameter, readings).length === 0 ? escaped : escaped.replaceAll(ESCAPED_COMMA, ",");
}

/** The values of a query as they are judged. */
export function judgedValues(parameter: Parameter, query: EscapedValues): EscapedValues {
  const [only, more] = query.get(parameter.name) ?? [];
  if (only === undefined || more !== undefined) return query;
  return new Map([[parameter.name, [withPlainCommas(parameter, only)]]]);
}

/** A query (with its `?`) as the service gets it; null where no parameter has commas. */
export function plainCommas(parameters: readonly Parameter[]): ((query: string) => string) | null {
  const byName = new Map(parameters.filter(hasCommas).map((parameter) => [parameter.name, parameter]));
  if (byName.size === 0) return null;
  return (query) => {
    if (query.search(ESCAPED_COMMA) < 0) return query;
    const pairs = query.slice(1).split("&");
    const plain = pairs.map((pair) => {
      const at = pair.indexOf("=") + 1;
      const parameter = at === 0 ? undefined : byName.get(decodeStrictly(pair.slice(0, at - 1)) ?? "");
      return parameter === undefined ? pair : pair.slice(0, at) + withPlainCommas(parameter, pair.slice(at));
    });
    return `?${plain.join("&")}`;
  };
}
