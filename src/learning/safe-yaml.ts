/**
 * Values and comments of a policy that is made of what clients have sent: whatever stands in a text, it is one scalar, or one
 * comment of one line.
 */

const PLAIN = /^[A-Za-z/][\w./-]*$/;
/** Plain scalars that some reader of YAML takes for something other than a text. */
const WORDS = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
/** Letters, digits, marks and signs of any script are themselves; all else, as breaks, controls and BiDi, is escaped. */
const ACTING = /[^\x20-\x7e\p{L}\p{N}\p{M}\p{P}\p{S}]/gu;

/** A text as a scalar in block or flow. */
export function scalar(text: string): string {
  if (PLAIN.test(text) && !WORDS.test(text)) return text;
  // What JSON writes YAML reads in double quotes.
  return JSON.stringify(text.toWellFormed()).replace(ACTING, escaped);
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** A value of JSON in one line. */
export function flow(value: unknown): string {
  if (typeof value === "string") return scalar(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).map(([key, member]) => `${scalar(key)}: ${flow(member)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

/** A text as it may stand behind a `#`, in one line. */
export function commentText(text: string): string {
  return text.replace(/[^\x20-\x7e…]/g, "\ufffd");
}

/** Lines that are comments, each as long as it comes. */
export function comment(text: string, indent = ""): string {
  return `${indent}# ${commentText(text)}\n`;
}
