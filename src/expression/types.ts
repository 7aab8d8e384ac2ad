/** What is known of a value at load; `dyn` is nothing. */
export interface Type {
  readonly name: "int" | "double" | "string" | "bool" | "null" | "timestamp" | "duration" | "list" | "dyn";
  /** Of a list. */
  readonly item?: Type;
}

const type = (name: Type["name"]): Type => ({ name });

export const INT: Type = type("int");
export const DOUBLE: Type = type("double");
export const STRING: Type = type("string");
export const BOOL: Type = type("bool");
export const NULL: Type = type("null");
export const TIMESTAMP: Type = type("timestamp");
export const DURATION: Type = type("duration");
export const DYN: Type = type("dyn");
export const listOf = (item: Type): Type => ({ name: "list", item });

export function isDyn({ name }: Type): boolean {
  return name === "dyn";
}

export function isNumber({ name }: Type): boolean {
  return name === "int" || name === "double";
}

export function typeText({ name, item }: Type): string {
  return item === undefined ? name : `list(${typeText(item)})`;
}

/** What two may be at once; `dyn` where they differ. */
export function join(a: Type, b: Type): Type {
  if (a.name !== b.name) return DYN;
  return a.item === undefined || b.item === undefined ? a : listOf(join(a.item, b.item));
}

/** Whether values of the two types may ever be equal. */
export function areComparable(a: Type, b: Type): boolean {
  if (isDyn(a) || isDyn(b) || a.name === "null" || b.name === "null") return true;
  if (isNumber(a) && isNumber(b)) return true;
  return a.name === b.name && (a.item === undefined || b.item === undefined || areComparable(a.item, b.item));
}
