import type { Readings } from "../../bodies/parameter-styles.ts";
import { err, ok, type Result } from "../../support/result.ts";

type Read = (values: readonly string[]) => Result<Readings | null, string>;

/**
 * What services make of a cookie's values: some take quotes around one off (Python, Express), others leave them, and what
 * is escaped inside quotes is read by Python alone.
 */
export function cookieReadings(values: readonly string[], read: Read): Result<Readings | null, string> {
  if (!values.some(isQuoted)) return read(values);
  if (values.some((value) => isQuoted(value) && value.includes("\\"))) return err("an escape inside quotes");
  const asTheyAre = read(values);
  const bare = read(values.map((value) => (isQuoted(value) ? value.slice(1, -1) : value)));
  if (!asTheyAre.ok) return asTheyAre;
  if (!bare.ok) return bare;
  return ok([...(bare.value ?? []), ...(asTheyAre.value ?? [])]);
}

function isQuoted(value: string): boolean {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"');
}
