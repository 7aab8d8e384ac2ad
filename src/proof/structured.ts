import {
  type BareItem,
  type InnerList,
  type Item,
  parseDictionary,
  serializeInnerList,
  serializeItem,
} from "structured-headers";
import { err, ok, type Result } from "../support/result.ts";

export type { InnerList, Item } from "structured-headers";

/**
 * A dictionary (RFC 9651 section 3.2) as it came, all lines of the field joined. Stricter in one thing: a key that comes
 * twice is a fault, for where it is read behind us the other one may count.
 */
export function readDictionary(text: string): Result<ReadonlyMap<string, Item | InnerList>, string> {
  let members: ReadonlyMap<string, Item | InnerList>;
  try {
    members = parseDictionary(text);
  } catch {
    return err("no dictionary of RFC 9651");
  }
  // Whatever its members are, each costs a comma outside of strings, bytes and lists: with a key twice there is one more.
  return membersOf(text) === members.size ? ok(members) : err("a key twice");
}

/** Members of a valid dictionary: commas outside of strings; lists within one are separated by blanks, and bytes have none. */
function membersOf(text: string): number {
  if (text.trim() === "") return 0;
  return (text.replace(/"(?:[^"\\]|\\.)*"/g, "").match(/,/g)?.length ?? 0) + 1;
}

export function isInnerList(member: Item | InnerList): member is InnerList {
  return Array.isArray(member[0]);
}

/** The bytes of a byte sequence; null for anything else. */
export function bytesOf(value: BareItem | Item[]): Buffer | null {
  return value instanceof ArrayBuffer ? Buffer.from(value) : null;
}

/** As it is signed (RFC 9421 section 2.5): the one way in which RFC 9651 writes it. */
export function itemText(item: Item): string {
  return serializeItem(item);
}

export function innerListText(list: InnerList): string {
  return serializeInnerList(list);
}
