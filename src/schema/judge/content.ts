import { parseJson } from "../../bodies/json.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { isBase64, isBase64Url } from "../formats/index.ts";
import type { ContentRules, Subschema } from "../subschema.ts";
import type { Compiling } from "./compiling.ts";
import type { Complaint } from "./faults.ts";
import type { Check } from "./run.ts";
import { RunNotes } from "./run-notes.ts";

/**
 * What a text holds (2020-12 validation section 8): JSON of one reading, that fits `contentSchema`. Its faults have the place
 * of the text in front of their own. A longer text is refused: it is read and judged in one go.
 */
export function contentChecks({ content }: Subschema, compiler: Compiling): Check<string>[] {
  if (content === null) return [];
  const { schema, site } = content;
  const inner = schema === null ? null : compiler.child(schema);
  const max = DEFAULTS.contentCharsMax;
  const tooLong: Complaint = {
    keyword: "contentMediaType",
    detail: `expected at most ${max} characters of JSON`,
    site,
  };
  const noJson: Complaint = { keyword: "contentMediaType", detail: `expected ${wordsFor(content)}`, site };
  return [
    (text, run) => {
      if (text.length > max) return run.fail(tooLong);
      if (run.isLong) run.step(1 + text.length / CHARS_PER_STEP);
      const bytes = decoded(text, content);
      const parsed = bytes === null ? null : parseJson(bytes);
      if (parsed === null || !parsed.ok) return run.fail(noJson);
      return inner === null || run.apart(inner, parsed.value, new RunNotes());
    },
  ];
}

/** That are read in the time of a step. */
const CHARS_PER_STEP = 16;

function decoded(text: string, { encoding }: ContentRules): Buffer | null {
  if (encoding === null) return Buffer.from(text);
  const isGood = encoding === "base64" ? isBase64(text) : isBase64Url(text);
  return isGood ? Buffer.from(text, encoding) : null;
}

function wordsFor({ encoding }: ContentRules): string {
  return encoding === null ? "JSON" : `JSON in ${encoding}`;
}
