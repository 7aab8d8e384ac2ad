/** SGR codes (ECMA-48). */
const STYLES = { dim: "2", red: "31", green: "32", yellow: "33" } as const;

export type Style = keyof typeof STYLES;

/** A text in a style, or as it is. */
export type Paint = (style: Style, text: string) => string;

/** `colour`: with escapes of a terminal. */
export function painter(colour: boolean): Paint {
  if (!colour) return (_, text) => text;
  return (style, text) => {
    const end = text.endsWith("\n") ? "\n" : "";
    return `\x1b[${STYLES[style]}m${text.slice(0, text.length - end.length)}\x1b[0m${end}`;
  };
}

/**
 * Whether to colour: what people set for all programs counts before what the output is (no-color.org, force-color.org). A terminal that
 * is `dumb` shows escapes as they are.
 */
export function isColourful(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: term } = env;
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  if (none !== undefined && none !== "") return false;
  return isTerminal && term !== "dumb";
}
