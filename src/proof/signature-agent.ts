import { parseItem } from "structured-headers";
import type { HeaderBlock } from "../message/headers.ts";
import { err, ok, type Result } from "../support/result.ts";
import { isInnerList, readDictionary } from "./structured.ts";

export const SIGNATURE_AGENT = "signature-agent";

/**
 * Whom the signature `label` says that it is of (draft-meunier-http-message-signatures-directory): the text of the whole field, as
 * older clients write it, or of the member of that label. Null where it says nothing. Nothing of it is verified.
 */
export function readSignatureAgent(headers: HeaderBlock, label: string): Result<string | null, string> {
  const text = headers.list(SIGNATURE_AGENT);
  if (text === undefined) return ok(null);
  if (text.trimStart().startsWith('"')) {
    try {
      const [value] = parseItem(text);
      return typeof value === "string" ? ok(value) : err("no text");
    } catch {
      return err("no text of RFC 9651");
    }
  }
  const members = readDictionary(text);
  if (!members.ok) return members;
  const member = members.value.get(label);
  if (member === undefined) return ok(null);
  if (isInnerList(member) || typeof member[0] !== "string") return err("a member that is no text");
  return ok(member[0]);
}

/** How a signature has to cover the field: whole, or the member that it is read from. */
export function coversAgent(covered: readonly string[], label: string): boolean {
  return covered.includes(`"${SIGNATURE_AGENT}"`) || covered.includes(`"${SIGNATURE_AGENT}";key="${label}"`);
}
