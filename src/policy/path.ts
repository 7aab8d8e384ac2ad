/** Keys and list positions from the top of the policy down to a value. */
export type Path = readonly (string | number)[];

/** `["routes", 2, "authorize"]` → `routes[2].authorize`. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}
