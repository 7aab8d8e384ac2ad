import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** A line and its number, from 1; null where it is longer than any that postern writes. */
export interface NumberedLine {
  readonly line: number;
  readonly text: string | null;
}

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const GZIP = Buffer.from([0x1f, 0x8b]);

/** Opens a regular file to be read line by line. */
export async function openLines(file: string): Promise<Result<{ handle: FileHandle; isOthers: boolean }, string>> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (found.isFile()) return ok({ handle, isOthers: (found.mode & 0o022) !== 0 });
    await handle.close();
    return err("is no regular file");
  } catch (error) {
    return err(error instanceof Error && "code" in error ? `cannot be read: ${String(error.code)}` : "cannot be read");
  }
}

/** Lines of a file, those of a chunk at a time; a line that is too long is skipped in bounded memory. */
export async function* linesOf(handle: FileHandle): AsyncGenerator<readonly NumberedLine[]> {
  let rest: Buffer = Buffer.alloc(0);
  let isSkipping = false;
  let line = 0;
  for await (const chunk of await chunksOf(handle)) {
    const bytes = Buffer.concat([rest, chunk]);
    const lines: NumberedLine[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      line++;
      lines.push({ line, text: isSkipping ? null : textOf(bytes, from, end) });
      isSkipping = false;
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > DEFAULTS.recordLineBytesMax) {
      isSkipping = true;
      rest = Buffer.alloc(0);
    }
    yield lines;
  }
  if (rest.length > 0 || isSkipping) yield [{ line: line + 1, text: isSkipping ? null : rest.toString() }];
}

/** Of what logrotate has packed, what was in it. */
async function chunksOf(handle: FileHandle): Promise<Readable> {
  const { buffer } = await handle.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
  const file = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: CHUNK_BYTES });
  // A fault of either ends the loop over its chunks.
  return buffer.equals(GZIP) ? pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => {}) : file;
}

function textOf(bytes: Buffer, from: number, end: number): string | null {
  return end - from > DEFAULTS.recordLineBytesMax ? null : bytes.toString("utf8", from, end);
}
