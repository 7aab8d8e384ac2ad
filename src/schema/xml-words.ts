import { isObject, member } from "./resource.ts";
import type { XmlWords } from "./subschema.ts";

const NODE_TYPES = ["element", "attribute", "text", "cdata", "none"] as const;

/** What `xml` of a schema says; null where it is none. */
export function readXmlWords(value: unknown): XmlWords | null {
  if (!isObject(value)) return null;
  const text = (key: string): string | null => {
    const found = member(value, key);
    return typeof found === "string" && found !== "" ? found : null;
  };
  const said = NODE_TYPES.find((type) => type === member(value, "nodeType"));
  const isAttribute = member(value, "attribute") === true;
  const old = isAttribute ? "attribute" : member(value, "wrapped") === true ? "element" : null;
  return { name: text("name"), namespace: text("namespace"), prefix: text("prefix"), nodeType: said ?? old };
}
