import type { Attribute } from "../attributes/attribute.ts";
import type { AttributeType, Read } from "../attributes/types.ts";
import { DYN, listOf, STRING, TIMESTAMP, type Type } from "./types.ts";
import { fromJson, momentOfMs } from "./values.ts";

const TYPES: Readonly<Record<AttributeType, Type>> = {
  text: STRING,
  texts: listOf(STRING),
  time: TIMESTAMP,
  any: DYN,
};

/** What conditions take an attribute for. */
export function typeOf(type: AttributeType): Type {
  return TYPES[type];
}

/** An attribute as conditions read it. */
export function readerOf({ type, read }: Attribute): Read {
  if (type === "any") return (exchange) => fromJson(read(exchange));
  if (type !== "time") return read;
  return (exchange) => {
    const ms = read(exchange);
    return typeof ms === "number" ? momentOfMs(ms) : undefined;
  };
}
