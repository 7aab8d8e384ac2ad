import type { RouteContext } from "../filter.ts";
import { SHAPE_WORDS } from "./json-shape.ts";
import type { Media } from "./media.ts";
import type { BodySettings, ValidateSettings } from "./schema.ts";

type Word = "readOnly" | "undeclared" | "stripUnknown" | "defaults" | "trim" | "normalize" | "rewrite";

/** What `validate.body` has to say for a body to be changed, word by word. */
const ASKS: Readonly<Record<Word, BodySettings[Word]>> = {
  readOnly: "strip",
  undeclared: "strip",
  stripUnknown: true,
  defaults: "fill",
  trim: true,
  normalize: "nfc",
  rewrite: true,
};
const WORDS = Object.keys(ASKS) as Word[];

/** Whether bodies are changed on their way, as far as settings say that a policy has; these may still be of any form. */
export function isSanitising(settings: unknown): boolean {
  return askedBy(settings).length > 0;
}

function askedBy(settings: unknown): readonly Word[] {
  if (typeof settings !== "object" || settings === null || !("body" in settings)) return [];
  const { body } = settings;
  if (typeof body !== "object" || body === null) return [];
  const asked = new Map<string, unknown>(Object.entries(body));
  return WORDS.filter((word) => asked.get(word) === ASKS[word]);
}

/** Problems of a route whose bodies are to be changed, and cannot be. */
export function checkSanitising(settings: ValidateSettings, media: readonly Media[], context: RouteContext): void {
  const judged = media.filter(({ schema }) => schema !== null);
  // What streams item by item goes on as it came.
  const isHeld = judged.some(({ isItems }) => !isItems);
  const bound = SHAPE_WORDS.find((name) => settings.body?.[name] !== undefined);
  if (bound !== undefined && judged.length === 0)
    context.problem("no schema says what the body is; expected 'schema' beside it", "body", bound);
  const [word] = askedBy(settings);
  if (word === undefined) return;
  if (!isHeld) context.problem("no schema says what the body is; expected 'schema' beside it", "body", word);
  if (settings.body?.stripUnknown === true && settings.body.undeclared === "refuse") {
    context.problem(
      "what 'undeclared: refuse' refuses cannot come off; expected one of the two",
      "body",
      "stripUnknown",
    );
  }
  for (const name of context.namedAuthenticators) {
    if (context.authenticators.get(name)?.signsBody !== true) continue;
    const text = `'${name}' verifies what the client signed, and another body would make the signature a lie; expected bodies that are refused or pass`;
    context.problem(text, "body", word);
  }
}
