import type { YAMLError } from "yaml";

/** What a problem says of YAML that is none. */
export function syntaxText({ message, pos: [offset] }: YAMLError, text: string): string {
  const sentence = message.charAt(0).toLowerCase() + message.slice(1);
  return `not valid YAML: ${sentence}${unquotedTemplate(text, offset)}`;
}

/** The likeliest slip: `{ path: /orders/{id} }`, whose inner braces YAML takes for its own. */
function unquotedTemplate(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1).split("\n", 1)[0] ?? "";
  return /\{.*path: *\/[^'",]*\{/.test(line)
    ? "; in braces a path with a parameter needs quotes, as in path: '/orders/{id}'"
    : "";
}
