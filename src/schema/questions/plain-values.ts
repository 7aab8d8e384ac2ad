import type { CompiledSchema } from "../compile.ts";
import { TYPE } from "../subschema.ts";
import type { TextTypes } from "./texts.ts";

/** Whether a text can only mean this value: numbers where no text may be, no empty lists, nothing within. */
export function isPlain(value: unknown, types: TextTypes): boolean {
  const leaf = (one: unknown, at: TextTypes): boolean => {
    const takesText = (at.types & TYPE.string) !== 0;
    if (typeof one === "string") return one !== "" && one.length <= 64 && !/[\u0000-\u001f,.|]/.test(one);
    return (typeof one === "number" || typeof one === "boolean") && !takesText;
  };
  if (Array.isArray(value)) return value.length > 0 && value.every((item, at) => leaf(item, types.item(at)));
  if (typeof value !== "object" || value === null) return leaf(value, types);
  const members = Object.entries(value);
  return (
    members.length > 0 &&
    members.every(([name, member]) => types.names.includes(name) && leaf(member, types.member(name)))
  );
}

/** An example that can be written as a parameter: of an object also what is not required, so that there is something to write. */
export function plainExample(compiled: CompiledSchema, types: TextTypes, isJson: boolean): unknown {
  const example = compiled.example();
  if (isJson || isPlain(example, types)) return example;
  const takes = (bit: number): boolean => (types.types & bit) !== 0;
  const tries: unknown[] = ["abc", 1, true];
  const candidates = [...(takes(TYPE.array) ? tries.map((one) => [one]) : []), ...tries];
  for (const name of types.names) for (const one of tries) candidates.push({ ...(example as object), [name]: one });
  return candidates.find((one) => isPlain(one, types) && compiled.validator.judge(one) === null);
}
