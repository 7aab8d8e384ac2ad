import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { DOES_NOT_EXIST } from "../policy/named-files.ts";
import { err, ok, type Result } from "../support/result.ts";
import { codeOf } from "./unix-socket.ts";

/**
 * Content of a file by its absolute name, or why not, in words that stay the same while the cause does. `isPolicy`: it is a
 * part of the policy's own text.
 */
export type ReadFile = (absolute: string, isPolicy?: boolean) => Result<Buffer, string>;

/**
 * Reads a regular file of at most `bytesMax` bytes. Pipes, devices and folders are refused before a byte is read: a
 * policy that names one must not hang the reload or fill memory.
 */
export function readRegularFile(absolute: string, bytesMax: number): Result<Buffer, string> {
  let fd: number;
  try {
    fd = openSync(absolute, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return err(inWords(codeOf(error)));
  }
  try {
    const stats = fstatSync(fd);
    if (stats.isDirectory()) return err("is a folder");
    if (!stats.isFile()) return err("is not a regular file");
    if (stats.size > bytesMax) return err(`is larger than ${bytesMax} bytes`);
    return readAll(fd, stats.size, bytesMax);
  } catch (error) {
    return err(inWords(codeOf(error)));
  } finally {
    closeSync(fd);
  }
}

/** The same of what a policy names: a name that ends with `/` is a folder's, whose content is the list of its files. */
export function readNamed(absolute: string, bytesMax: number): Result<Buffer, string> {
  if (!absolute.endsWith("/")) return readRegularFile(absolute, bytesMax);
  try {
    const files = readdirSync(absolute, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    // Those of editors and of swaps (`.x.swp`, `..data`) are nobody's.
    const names = files.map(({ name }) => name).filter((name) => !name.startsWith(".") && !name.includes("\n"));
    const list = Buffer.from(names.sort().join("\n"));
    return list.length > bytesMax ? err("has too many files") : ok(list);
  } catch (error) {
    const code = codeOf(error);
    return err(code === "ENOTDIR" ? "is not a folder" : inWords(code));
  }
}

/** The file may grow while it is read; what was announced by its size plus one byte tells. */
function readAll(fd: number, size: number, bytesMax: number): Result<Buffer, string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.max(size - total, 0) + 1);
    const bytes = readSync(fd, chunk);
    if (bytes === 0) return ok(Buffer.concat(chunks));
    total += bytes;
    if (total > bytesMax) return err(`is larger than ${bytesMax} bytes`);
    chunks.push(chunk.subarray(0, bytes));
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: DOES_NOT_EXIST,
  EACCES: "may not be read (permission denied)",
  EPERM: "may not be read (permission denied)",
  ELOOP: "is a loop of symbolic links",
  ENOTDIR: "lies below something that is not a folder",
};

function inWords(code: string): string {
  return WORDS[code] ?? `cannot be read (${code})`;
}
