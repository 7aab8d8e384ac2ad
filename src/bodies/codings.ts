import type { Transform } from "node:stream";
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from "node:zlib";

/** A content coding (RFC 9110 section 8.4.1) that is inflated. */
export interface Coding {
  /** By its first byte, where there is one. */
  open(first?: number): Transform;
  /** What its state may take up. */
  readonly bytes: number;
}

const GZIP: Coding = { open: () => createGunzip(), bytes: 64 * 1024 };

/** A window of 8 MiB, beyond which no reader of this coding need go (RFC 9659 section 3). */
const ZSTD_WINDOW_LOG_MAX = 23;

const ZSTD: Coding = {
  open: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } }),
  bytes: 2 ** ZSTD_WINDOW_LOG_MAX + 512 * 1024,
};

/** By the names that Content-Encoding has for them. */
export const CODINGS: ReadonlyMap<string, Coding> = new Map([
  ["gzip", GZIP],
  ["x-gzip", GZIP],
  ["deflate", { open: () => createInflate(), bytes: 64 * 1024 }],
  ["br", { open: () => createBrotliDecompress(), bytes: 16 * 1024 * 1024 }],
  ["zstd", ZSTD],
]);

/** Some services leave the head of zlib out, and clients take both (RFC 9110 section 8.4.1.2): the lower half of its first byte is 8. */
const DEFLATE_OF_SERVICES: Coding = {
  open: (first = 8) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw()),
  bytes: 64 * 1024,
};

/** As clients read answers. */
export const ANSWER_CODINGS: ReadonlyMap<string, Coding> = new Map([...CODINGS, ["deflate", DEFLATE_OF_SERVICES]]);
