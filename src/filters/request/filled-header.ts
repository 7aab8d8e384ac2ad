import type { Attribute } from "../../attributes/attribute.ts";
import { type Piece, parseFilled } from "../../attributes/filled-text.ts";
import { paramNames, parseTemplate } from "../../matching/template.ts";
import type { Exchange } from "../../message/exchange.ts";
import { ok, type Result } from "../../support/result.ts";
import type { RouteContext } from "../filter.ts";
import { headerText, type IdentityLine } from "./identity.ts";

/** A header whose value names attributes. */
class FilledHeader implements IdentityLine {
  readonly name: string;
  /** Looked at for each request, so that what is absent is told of callers that nobody knows, too. */
  readonly isOfPrincipal = false;
  readonly #text: string;
  readonly #pieces: readonly Piece[];
  /** A path parameter stands in another place on another route. */
  readonly #route: string;

  constructor(name: string, text: string, pieces: readonly Piece[], route: string) {
    this.name = name;
    this.#text = text;
    this.#pieces = pieces;
    this.#route = route;
  }

  toJSON(): readonly string[] {
    const isOfRoute = attributesIn(this.#pieces).some(({ row }) => row.name === "path" || row.name === "route");
    return [this.name, this.#text, isOfRoute ? this.#route : "-"];
  }

  /** A value that lacks one of them is not written: half of it could be another's. */
  line(exchange: Exchange, untold: string[]): string {
    let value = "";
    for (const piece of this.#pieces) {
      const text = typeof piece === "string" ? piece : headerText(piece.read(exchange), piece.type === "time");
      if (text === null) {
        untold.push(this.name);
        return "";
      }
      value += text;
    }
    return `${this.name}: ${value}\r\n`;
  }
}

function attributesIn(pieces: readonly Piece[]): readonly Attribute[] {
  return pieces.filter((piece) => typeof piece !== "string");
}

/** `name` in lower case, and what the policy has for it, with `{attributes}` → the header on this route. */
export function filledHeader(name: string, text: string, context: RouteContext): Result<IdentityLine, string> {
  const template = parseTemplate(context.template);
  const parameters = template.ok ? paramNames(template.value) : null;
  const scope = { phase: "rewrite", parameters, route: context.template, clock: context.clock } as const;
  const pieces = parseFilled(text, scope, context.ownText(text));
  return pieces.ok ? ok(new FilledHeader(name, text, pieces.value, context.template)) : pieces;
}
