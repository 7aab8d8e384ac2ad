import { createHash } from "node:crypto";

export function base64Encode(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

export function hexEncode(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

export function urlEncode(text: string): string {
  return text.replace(/[^0-9A-Za-z*]/g, (char) => (char === " " ? "+" : `%${hexEncode(char)}`));
}

/** Each character beyond ASCII as `%uXXXX`. Of an overlong form or a surrogate its first byte stays as well. */
export function utf8toUnicode(text: string): string {
  return text.replace(/[\xc0-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf7][\x80-\xbf]{3}/g, (bytes) => {
    let point = bytes.charCodeAt(0) & (0x7f >> bytes.length);
    for (let at = 1; at < bytes.length; at++) point = (point << 6) | (bytes.charCodeAt(at) & 0x3f);
    const least = [0, 0, 0x80, 0x800, 0x10000][bytes.length] ?? 0;
    const isUsual = point >= least && (point < 0xd800 || point > 0xdfff);
    return `%u${point.toString(16).padStart(4, "0")}${isUsual ? "" : bytes.charAt(0)}`;
  });
}

/** Digests are bytes; `hexEncode` behind them makes them readable. */
export function sha1(text: string): string {
  return createHash("sha1").update(text, "latin1").digest("latin1");
}

export function md5(text: string): string {
  return createHash("md5").update(text, "latin1").digest("latin1");
}

export function length(text: string): string {
  return `${text.length}`;
}
