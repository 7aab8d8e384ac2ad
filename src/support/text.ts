import { isAscii, isUtf8 } from "node:buffer";
import { err, ok, type Result } from "./result.ts";

/**
 * Bytes of a file that people write → its text. UTF-8, whose byte order mark, as some editors begin a file, is no part
 * of it; or what the bytes are instead.
 */
export function decodeText(bytes: Uint8Array): Result<string, string> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf16(text)) return err("UTF-16; expected UTF-8");
  if (isAscii(text)) return ok(text.toString("latin1"));
  if (!isUtf8(text)) return err("not UTF-8");
  return ok(text.toString("utf8", text.subarray(0, 3).equals(UTF8_MARK) ? UTF8_MARK.length : 0));
}

/** The same for a file whose content stands in ASCII, as PEM, between comments in whatever encoding. */
export function withoutMark(bytes: Buffer): Result<Buffer, string> {
  if (isUtf16(bytes)) return err("UTF-16; expected ASCII or UTF-8");
  return withoutUtf8Mark(bytes);
}

/**
 * The same for a secret, which may be any bytes: only what is UTF-16 beyond doubt is called so, by its mark and the NUL of
 * its first character.
 */
export function secretWithoutMark(bytes: Buffer): Result<Buffer, string> {
  const isUtf16Text =
    (bytes[0] === 0xff && bytes[1] === 0xfe && bytes[3] === 0) || (bytes[0] === 0xfe && bytes[2] === 0);
  return isUtf16Text && isUtf16(bytes) ? err("UTF-16; expected ASCII or UTF-8") : withoutUtf8Mark(bytes);
}

function withoutUtf8Mark(bytes: Buffer): Result<Buffer, string> {
  return ok(bytes.subarray(0, 3).equals(UTF8_MARK) ? bytes.subarray(UTF8_MARK.length) : bytes);
}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** By its mark, or by the NUL that every other byte of ASCII text is. */
function isUtf16(bytes: Buffer): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return bytes.length > 1 && (first === 0) !== (second === 0);
}
