import type { Description } from "../../openapi/description.ts";
import type { Findings } from "../../openapi/findings.ts";
import { isMembers } from "../../openapi/spot.ts";
import type { RequestRules } from "../../schema/requests.ts";
import type { AnswersSettings } from "./answers-section.ts";

/** What of a description is not enforced: kinds for the whole of it, and each of one operation. */
export type Loose = (
  what: string,
  place: { readonly file: string; readonly line: number; readonly column: number },
) => void;

/** What an operation's parts are lowered with. */
export interface Lowering {
  readonly description: Description;
  readonly findings: Findings;
  readonly loose: Loose;
  readonly requests: BodyRules;
  readonly undeclaredParameters: "ignore" | "refuse" | "strip";
  /** Null where answers are not looked at. */
  readonly answers: AnswersSettings | null;
}

/** What becomes of members that only the service sets, and of those that no schema declares. */
export interface BodyRules {
  readonly readOnly: "ignore" | "refuse" | "strip";
  readonly undeclared: "ignore" | "refuse" | "strip";
}

/** Where the section says nothing else. */
export const USUAL_LOWERING: Pick<Lowering, "undeclaredParameters" | "answers"> & { readonly requests: RequestRules } =
  {
    requests: { readOnly: "refuse", undeclared: "ignore" },
    undeclaredParameters: "ignore",
    answers: null,
  };

/** Words that ask nothing of a text. */
const SILENT: ReadonlySet<string> = new Set([
  "type",
  "title",
  "description",
  "example",
  "examples",
  "default",
  "deprecated",
  "externalDocs",
  "$comment",
]);

/** The same of a body that is no text: `format: binary` only says so. */
export function takesAnyBytes(schema: unknown): boolean {
  if (!isMembers(schema)) return schema === true;
  const { format, ...others } = schema;
  return (format === undefined || format === "binary") && takesAnyText(others);
}

/** Whether any text fits: it need not be held to be judged, and may be as long as it likes. */
export function takesAnyText(schema: unknown): boolean {
  if (schema === true) return true;
  if (!isMembers(schema)) return false;
  const { type = "string" } = schema;
  const isText = type === "string" || (Array.isArray(type) && type.includes("string"));
  return isText && Object.keys(schema).every((word) => SILENT.has(word) || word.startsWith("x-"));
}
