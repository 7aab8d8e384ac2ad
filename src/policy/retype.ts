import type { z } from "zod";
import { converted } from "./references.ts";

/** A value as a schema was asked about it, and its answer. */
export interface Judged<T> {
  readonly value: unknown;
  readonly result: z.ZodSafeParseResult<T>;
}

/** So many texts of one value are tried; each is a question to the schema. */
const TRIES_MAX = 32;

/**
 * A value with texts from elsewhere (`texts`) as the schema wants them: one that it refuses as text it may take as a number, or as
 * true or false.
 */
export function retyped<T>(schema: z.ZodType<T>, refused: Judged<T>, texts: ReadonlySet<string>): Judged<T> {
  let best = refused;
  let tries = 0;
  for (const path of pathsOf(refused.value, texts)) {
    if (best.result.success || ++tries > TRIES_MAX) break;
    const value = withConverted(best.value, path);
    const result = schema.safeParse(value);
    if (result.success || result.error.issues.length < (best.result.error?.issues.length ?? 0))
      best = { value, result };
  }
  return best;
}

function* pathsOf(value: unknown, texts: ReadonlySet<string>): Generator<readonly string[]> {
  if (typeof value === "string") {
    if (texts.has(value)) yield [];
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) for (const path of pathsOf(inner, texts)) yield [key, ...path];
}

function withConverted(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (typeof value === "string") return converted(value);
  if (key === undefined || typeof value !== "object" || value === null) return value;
  const copy: object = Array.isArray(value) ? [...value] : Object.assign(Object.create(null), value);
  Reflect.set(copy, key, withConverted(Reflect.get(value, key), rest));
  return copy;
}
