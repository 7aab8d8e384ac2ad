import { textsOfPattern } from "./patterns.ts";

/** Texts that a parameter with a schema may have, and texts that it may not. */
export interface ParameterValues {
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const UUID = "0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1";

/** Formats of which a text is known. */
const OF_FORMATS: Readonly<Record<string, string>> = {
  uuid: UUID,
  date: "2026-12-01",
  "date-time": "2026-12-01T00:00:00Z",
  email: "a@example.org",
  ipv4: "192.0.2.1",
};

/**
 * By what the schema itself says at its top: values at its bounds and beyond them, and texts that its pattern takes and
 * refuses. `others`: patterns of the place, of which each is told from its own.
 */
export function parameterValues(value: unknown, others: readonly string[] = []): ParameterValues {
  const schema = schemaOf(value);
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  const listed = schema["enum"] ?? (schema["const"] === undefined ? undefined : [schema["const"]]);
  if (Array.isArray(listed)) return { good: listed.map(String), bad: ["none-of-these"] };
  if (type === "integer" || type === "number") return numbers(schema);
  if (type === "boolean") return { good: ["true"], bad: ["maybe"] };
  const format = OF_FORMATS[String(schema["format"])];
  if (format !== undefined) return { good: [format], bad: ["1"] };
  return texts(schema, others);
}

function schemaOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return {};
  const own: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(value));
  return typeof own["schema"] === "object" ? schemaOf(own["schema"]) : own;
}

function numbers(schema: Readonly<Record<string, unknown>>): ParameterValues {
  const at = (key: string): number | null => (typeof schema[key] === "number" ? schema[key] : null);
  const lowest = at("minimum") ?? (at("exclusiveMinimum") === null ? null : (at("exclusiveMinimum") ?? 0) + 1);
  const highest = at("maximum") ?? (at("exclusiveMaximum") === null ? null : (at("exclusiveMaximum") ?? 0) - 1);
  const good = [...new Set([lowest, highest].filter((one) => one !== null))];
  const beyond = [...(lowest === null ? [] : [String(lowest - 1)]), ...(highest === null ? [] : [String(highest + 1)])];
  return { good: good.length === 0 ? ["1"] : good.map(String), bad: [...beyond, "x"] };
}

const LENGTH_MAX = 1024;

function texts(schema: Readonly<Record<string, unknown>>, others: readonly string[]): ParameterValues {
  const length = (key: string): number | null => {
    const value = schema[key];
    return typeof value === "number" && value <= LENGTH_MAX ? value : null;
  };
  const [shortest, longest] = [length("minLength"), length("maxLength")];
  const { pattern } = schema;
  if (typeof pattern === "string") {
    const bounds = { min: Math.max(1, shortest ?? 0), max: longest ?? LENGTH_MAX };
    const found = textsOfPattern(pattern, bounds, others);
    if (found !== null) return found;
  }
  const good = "1".repeat(Math.max(1, shortest ?? 1));
  return {
    good: longest === null || longest === good.length ? [good] : [good, "1".repeat(longest)],
    bad: [
      ...(shortest === null || shortest < 2 ? [] : ["1".repeat(shortest - 1)]),
      ...(longest === null ? [] : ["1".repeat(longest + 1)]),
    ],
  };
}
