import type { Attribute } from "../../attributes/attribute.ts";
import { AMBIGUOUS } from "../../attributes/types.ts";
import type { Exchange } from "../../message/exchange.ts";
import { err, ok, type Result } from "../../support/result.ts";

/** A place of the document: a text, an attribute's value, or an object of such. Attributes that a request lacks are left out. */
export type Template =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "attribute"; readonly attribute: Attribute; readonly isNeeded: boolean }
  | { readonly kind: "object"; readonly members: ReadonlyMap<string, Template> };

export function objectOf(members: Readonly<Record<string, Template | null | undefined>>): Template {
  const known = Object.entries(members).filter((entry): entry is [string, Template] => entry[1] != null);
  return { kind: "object", members: new Map(known) };
}

/** What the service is told of a request, or why that cannot be said. */
export function documentOf(template: Template, exchange: Exchange): Result<unknown, string> {
  switch (template.kind) {
    case "text":
      return ok(template.text);
    case "attribute":
      return attributeValue(template.attribute, template.isNeeded, exchange);
    case "object": {
      const document: Record<string, unknown> = {};
      for (const [name, part] of template.members) {
        const value = documentOf(part, exchange);
        if (!value.ok) return value;
        // As own members, whatever their names.
        if (value.value !== undefined) Object.defineProperty(document, name, { value: value.value, ...OWN });
      }
      return ok(document);
    }
  }
}

const OWN = { enumerable: true, configurable: true, writable: true };

function attributeValue({ read, text }: Attribute, isNeeded: boolean, exchange: Exchange): Result<unknown, string> {
  const value = read(exchange);
  // Told in one of its readings, the service would decide about another request than the one that comes.
  if (value === AMBIGUOUS) return err(`'${text}' has no single value`);
  return value === undefined && isNeeded ? err(`there is no '${text}'`) : ok(value);
}
