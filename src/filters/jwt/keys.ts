import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import { type Entries, readEntries } from "./jwk.ts";
import { importPublic, limitedTo, type VerificationKey, verificationKey, weaknessOf } from "./verification-key.ts";

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;
/** Levels of a set: the object, its list, a key, a list of its own. */
const DEPTH_MAX = 8;

/** What a set gives: keys that serve, and what is wrong with those of them that are left out. */
export interface KeyFile {
  readonly keys: readonly VerificationKey[];
  readonly leftOut: readonly string[];
}

/**
 * Content of a key file → its keys that serve one of `pinned`, or what is wrong with it, without its content. A key that
 * nobody can use, or that is too weak, is left out of its set: a provider that publishes one keeps the others.
 */
export function* readKeys(text: string, pinned: ReadonlySet<string>): Steps<Result<KeyFile, string>> {
  const entries = text.includes("-----BEGIN ") && !text.trimStart().startsWith("{") ? readPem(text) : null;
  if (entries !== null) return entries.ok ? usable(entries.value, pinned) : entries;
  const document = parse(text);
  if (!document.ok) return document;
  const read = yield* readEntries(document.value);
  return read.ok ? usable(read.value, pinned) : read;
}

/** What a provider answered → the same. HMAC secrets never come this way: what is published is no secret. */
export function* readPublishedKeys(body: Buffer, pinned: ReadonlySet<string>): Steps<Result<KeyFile, string>> {
  // Each key is an object, and so is much that costs to read and is none.
  if (count(body, 0x7b) > 4 * DEFAULTS.tokenKeysMax) return err(`more than ${DEFAULTS.tokenKeysMax} keys`);
  yield;
  const document = parseJsonObject(body, DEPTH_MAX);
  if (!document.ok) return err(`an answer that is ${document.error}`);
  const { keys: set } = document.value;
  if (Array.isArray(set) && set.length > DEFAULTS.tokenKeysMax) return err(`more than ${DEFAULTS.tokenKeysMax} keys`);
  const read = yield* readEntries(document.value);
  if (!read.ok) return read;
  const secrets = read.value.filter((entry) => typeof entry !== "string" && entry.key.type === "secret");
  if (secrets.length > 0) return err("an HMAC secret among published keys");
  return usable(read.value, pinned);
}

function usable(entries: Entries, pinned: ReadonlySet<string>): Result<KeyFile, string> {
  const keys: VerificationKey[] = [];
  const leftOut: string[] = [];
  for (const entry of entries) {
    const fault = typeof entry === "string" ? entry : weaknessOf(entry);
    if (fault !== null) leftOut.push(fault);
    if (typeof entry === "string" || fault !== null) continue;
    const served = limitedTo(entry, pinned);
    if (served !== null) keys.push(served);
  }
  if (keys.length > 0) return ok({ keys, leftOut });
  const [fault] = leftOut;
  if (fault !== undefined) return err(fault);
  return err(
    `no key for ${[...pinned].join(", ")}; a key serves the algorithms of its type, and of its 'alg' and 'use'`,
  );
}

function readPem(text: string): Result<VerificationKey[], string> {
  const keys: VerificationKey[] = [];
  for (const [block, label = ""] of text.matchAll(PEM_BLOCK)) {
    if (label.includes("PRIVATE KEY")) return err("a private key; postern only needs the public one");
    if (label === "CERTIFICATE") return err("a certificate; expected its key: openssl x509 -pubkey -noout");
    if (label !== "PUBLIC KEY" && label !== "RSA PUBLIC KEY") return err("expected PUBLIC KEY blocks");
    const key = importPublic(block);
    if (key === null) return err("a PUBLIC KEY block that cannot be read");
    keys.push(verificationKey(null, key));
  }
  const begun = text.match(/-----BEGIN /g)?.length ?? 0;
  if (keys.length > 0 && keys.length < begun) return err(`${keys.length} of ${begun} PEM blocks; the file is cut`);
  return keys.length > 0 ? ok(keys) : err("no PEM block that can be read");
}

function parse(text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return err("neither PEM nor JSON; expected public keys in PEM, a JWK or a JWKS");
  }
}

function count(bytes: Buffer, byte: number): number {
  let times = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) times++;
  return times;
}
