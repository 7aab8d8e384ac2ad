import { argon2, scrypt } from "node:crypto";

/** A hash of a password with all that is needed to make it again, in the PHC string format. */
export type PasswordHash = Argon2Hash | ScryptHash;

interface Argon2Hash {
  readonly kind: "argon2id";
  readonly salt: Buffer;
  readonly tag: Buffer;
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

interface ScryptHash {
  readonly kind: "scrypt";
  readonly salt: Buffer;
  readonly tag: Buffer;
  /** N is 2 to this. */
  readonly costLog2: number;
  readonly blockSize: number;
  readonly parallelism: number;
}

/** OWASP's first choice: some 20 ms and 19 MiB of work. */
export const ARGON2_USUAL = { memoryKib: 19_456, passes: 2, parallelism: 1 } as const;

const MEMORY_KIB_MAX = 64 * 1024;
const ARGON2 = /^\$argon2id\$v=19\$m=(\d{1,6}),t=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

export const PASSWORD_HASH_EXPECTED =
  "expected a hash as 'postern hash-password' prints it, argon2id or scrypt of at most 64 MiB; never the password";

/** Null where the text is no such hash, or one that costs more than a login may. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const [, m, t, p, salt, tag] = ARGON2.exec(text) ?? [];
  if (m !== undefined) {
    const hash = { memoryKib: Number(m), passes: Number(t), parallelism: Number(p) };
    const isSound = hash.memoryKib >= 8 * hash.parallelism && hash.memoryKib <= MEMORY_KIB_MAX;
    if (!isSound || hash.passes < 1 || hash.passes > 10 || hash.parallelism < 1 || hash.parallelism > 4) return null;
    return { kind: "argon2id", ...hash, salt: bytesOf(salt), tag: bytesOf(tag) };
  }
  const [, ln, r, parallelism, scryptSalt, scryptTag] = SCRYPT.exec(text) ?? [];
  if (ln === undefined) return null;
  const hash = { costLog2: Number(ln), blockSize: Number(r), parallelism: Number(parallelism) };
  if (hash.costLog2 < 10 || hash.blockSize < 1 || hash.parallelism < 1 || hash.parallelism > 4) return null;
  if (2 ** hash.costLog2 * hash.blockSize * 128 > MEMORY_KIB_MAX * 1024) return null;
  return { kind: "scrypt", ...hash, salt: bytesOf(scryptSalt), tag: bytesOf(scryptTag) };
}

export function passwordHashText({ memoryKib, passes, parallelism, salt, tag }: Argon2Hash): string {
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${textOf(salt)}$${textOf(tag)}`;
}

/** The tag of `password` with the cost and salt of `hash`, made on a thread of its own; some 20 ms. */
export function tagOf(hash: PasswordHash, password: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null, tag: Buffer): void => (error === null ? resolve(tag) : reject(error));
    if (hash.kind === "argon2id") {
      const { memoryKib: memory, passes, parallelism, salt: nonce, tag } = hash;
      argon2("argon2id", { message: password, nonce, memory, passes, parallelism, tagLength: tag.length }, settle);
      return;
    }
    const { costLog2, blockSize, parallelism, salt, tag } = hash;
    const options = { N: 2 ** costLog2, r: blockSize, p: parallelism, maxmem: 2 * MEMORY_KIB_MAX * 1024 };
    scrypt(password, salt, tag.length, options, settle);
  });
}

function bytesOf(text: string | undefined): Buffer {
  return Buffer.from(text ?? "", "base64");
}

/** Base64 without padding, as PHC strings have it. */
function textOf(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
