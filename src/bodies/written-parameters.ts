/** How a parameter's value is written: OpenAPI's table of styles (OpenAPI 3.2 section 4.12.3), the other way of `parameter-styles`. */

const escaped = (value: unknown): string => encodeURIComponent(String(value));

/** Name and text of each pair of a query, a cookie or a header. `escaping`: of names and values. */
export function writtenPairs(
  name: string,
  value: unknown,
  style: string,
  explode: boolean,
  escaping: (value: unknown) => string = escaped,
): readonly (readonly [name: string, text: string])[] {
  if (style === "deepObject") return stepsOf(name, value, escaping);
  const delimiter = style === "spaceDelimited" ? "%20" : style === "pipeDelimited" ? "%7C" : ",";
  if (Array.isArray(value)) {
    if (explode && style === "form") return value.map((item) => [name, escaping(item)]);
    return [[name, value.map(escaping).join(delimiter)]];
  }
  if (typeof value !== "object" || value === null) return [[name, escaping(value)]];
  const members = Object.entries(value);
  if (explode && style === "form")
    return members.flatMap(([key, member]) => writtenPairs(encodeURIComponent(key), member, style, explode, escaping));
  const between = explode && delimiter === "," ? "=" : delimiter;
  return [[name, members.map(([key, member]) => `${escaping(key)}${between}${escaping(member)}`).join(delimiter)]];
}

/** `items[0][name]`; items that are texts have no number. */
function stepsOf(
  name: string,
  value: unknown,
  escaping: (value: unknown) => string,
): readonly (readonly [name: string, text: string])[] {
  if (typeof value !== "object" || value === null) return [[name, escaping(value)]];
  const isTexts = Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null);
  return Object.entries(value).flatMap(([step, inner]) => {
    return stepsOf(`${name}[${isTexts ? "" : encodeURIComponent(step)}]`, inner, escaping);
  });
}

/** A segment of a path, or a part of one. */
export function writtenSegment(name: string, value: unknown, style: string, explode: boolean): string {
  const simple = writtenPairs(name, value, "simple", explode)[0]?.[1] ?? "";
  if (style === "label") return `.${explode ? simple.replaceAll(",", ".") : simple}`;
  if (style !== "matrix") return simple;
  if (!explode) return `;${name}=${simple}`;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return simple
    .split(",")
    .map((one) => (isObject ? `;${one}` : `;${name}=${one}`))
    .join("");
}
