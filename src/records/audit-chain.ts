import { createHmac, hash } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";

/** Layout of the lines; another layout is another number. */
export const AUDIT_VERSION = 1;

/** A line that others can be compared with: its number, from 1, and its hash. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** What the first line of a chain follows. */
export const GENESIS: AuditHead = { seq: 0, hash: "0".repeat(64) };

/**
 * A line of the audit log: a JSON object that ends with `prev`, the hash of the line before, and `hash`, SHA-256 over all
 * bytes of the line before `,"hash"`; with a key `hmac`, HMAC-SHA-256 over the same. `fields`: JSON without braces, or empty.
 */
export function auditLine(
  before: AuditHead,
  time: string,
  event: string,
  fields: string,
  key: Buffer | null,
): AuditLine {
  const seq = before.seq + 1;
  const inner = fields === "" ? "" : `,${fields}`;
  const text = `{"v":${AUDIT_VERSION},"seq":${seq},"time":"${time}","event":"${event}"${inner},"prev":"${before.hash}"`;
  const body = asciiJson(text);
  const sum = sumOf(body, key);
  return { text: `${body},"${key === null ? "hash" : "hmac"}":"${sum}"}\n`, head: { seq, hash: sum } };
}

/**
 * Fields as JSON without braces. Of more than a line may have, those stay that are short: a client that makes its line too long must
 * not vanish from it.
 */
export function auditFields(fields: Readonly<Record<string, unknown>>): string {
  const whole = JSON.stringify(fields).slice(1, -1);
  if (whole.length <= DEFAULTS.auditFieldsCharsMax) return whole;
  let text = `"tooLong":${whole.length}`;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const member = `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
    const isShort = member.length <= DEFAULTS.auditMemberCharsMax;
    if (isShort && text.length + member.length <= DEFAULTS.auditFieldsCharsMax) text += member;
  }
  return text;
}

export interface AuditLine {
  readonly text: string;
  readonly head: AuditHead;
}

/** A line as it was read: what it says of itself. Null for what is none. */
export interface ReadLine extends AuditHead {
  readonly prev: string;
  readonly isKeyed: boolean;
  /** All that the hash is over. */
  readonly body: string;
}

const LINE =
  /^(\{"v":1,"seq":([1-9]\d{0,14}),"time":"[^"]*","event":"[^"]*"[\x20-\x7e]*,"prev":"([0-9a-f]{64})"),"(hash|hmac)":"([0-9a-f]{64})"\}$/;

export function readAuditLine(text: string): ReadLine | null {
  const [, body = "", seq = "", prev = "", kind = "", sum = ""] = LINE.exec(text) ?? [];
  return body === "" ? null : { seq: Number(seq), hash: sum, prev, isKeyed: kind === "hmac", body };
}

export function sumOf(body: string, key: Buffer | null): string {
  return key === null ? hash("sha256", body) : createHmac("sha256", key).update(body).digest("hex");
}

/** `3:9f86…`: as the log, the admin port and the file beside the audit log tell a head. */
export function headText({ seq, hash: sum }: AuditHead): string {
  return `${seq}:${sum}`;
}

export function readHead(text: string): AuditHead | null {
  const [, seq = "", sum = ""] = /^(\d{1,15}):([0-9a-f]{64})\n?$/.exec(text) ?? [];
  return seq === "" ? null : { seq: Number(seq), hash: sum };
}

/** Bytes that are no UTF-8 all read as one character, so that a change among them would not show: lines are ASCII. */
function asciiJson(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The end of a file: its last whole line, and the bytes behind it that a crash cut off. */
export function lastAuditLine(end: Buffer): { readonly head: AuditHead | null; readonly tornBytes: number } {
  const newline = end.lastIndexOf(0x0a);
  const from = newline <= 0 ? -1 : end.lastIndexOf(0x0a, newline - 1);
  const line = newline < 0 ? null : readAuditLine(end.toString("latin1", from + 1, newline));
  return { head: line, tornBytes: end.length - newline - 1 };
}
