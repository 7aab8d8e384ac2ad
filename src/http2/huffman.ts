/**
 * The Huffman code of HPACK (RFC 7541 appendix B). It is canonical: codes of one length follow each other in the order of
 * their symbols, so that the lengths are all there is to know. Bits of the symbols 0 to 255, and of the end of a string.
 */
const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];
const END_OF_STRING = 256;
const BITS_MAX = 30;
const BITS_MIN = 5;
/** Codes up to this length are looked up at once; they are those of nearly all characters that headers have. */
const DIRECT_BITS = 8;

/** For the next eight bits: symbol and length of the code they begin with, `symbol << 4 | bits`; 0 for a longer code. */
const direct = new Uint16Array(1 << DIRECT_BITS);
/** By length: the first code, and where its symbol stands in `ordered`. Codes of a length are those below `first + count`. */
const firstCode = new Int32Array(BITS_MAX + 1);
const firstAt = new Int32Array(BITS_MAX + 1);
const codeCount = new Int32Array(BITS_MAX + 1);
const ordered = new Uint16Array(CODE_BITS.length);

/** Built with the first string that needs them: a start without HTTP/2 can do without. */
let isBuilt = false;

function buildTables(): void {
  isBuilt = true;
  let code = 0;
  let at = 0;
  for (let bits = BITS_MIN; bits <= BITS_MAX; bits++) {
    code <<= 1;
    firstCode[bits] = code;
    firstAt[bits] = at;
    for (const [symbol, length] of CODE_BITS.entries()) {
      if (length !== bits) continue;
      ordered[at++] = symbol;
      if (bits <= DIRECT_BITS) {
        const free = DIRECT_BITS - bits;
        direct.fill((symbol << 4) | bits, code << free, (code + 1) << free);
      }
      code++;
    }
    codeCount[bits] = at - (firstAt[bits] ?? 0);
  }
}

/**
 * Decodes `bytes[from, to)` into `out`; gives how many bytes it wrote, or -1 where it is no valid string: the code for the
 * end within it, padding of eight bits or more, or padding that is not ones. `out` must hold 8/5 of the input.
 */
export function huffmanDecode(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  if (!isBuilt) buildTables();
  let window = 0; // bits that are read and not yet used, at its low end
  let bits = 0;
  let length = 0;
  let at = from;
  for (;;) {
    while (bits <= 16 && at < to) {
      window = ((window << 8) | (bytes[at++] ?? 0)) & 0xff_ffff;
      bits += 8;
    }
    if (bits >= DIRECT_BITS) {
      const entry = direct[(window >>> (bits - DIRECT_BITS)) & 0xff] ?? 0;
      if (entry !== 0) {
        out[length++] = entry >>> 4;
        bits -= entry & 15;
        continue;
      }
    }
    if (bits < DIRECT_BITS && at === to) return finish(window, bits, out, length);
    // A long code: bit by bit from the ninth on.
    let code = (window >>> (bits - DIRECT_BITS)) & 0xff;
    bits -= DIRECT_BITS;
    let size = DIRECT_BITS;
    let symbol = -1;
    while (symbol < 0) {
      if (bits === 0) {
        // What is left is the beginning of a code, and no padding, for it is longer than seven bits.
        if (at === to) return -1;
        window = bytes[at++] ?? 0;
        bits = 8;
      }
      bits--;
      size++;
      code = (code << 1) | ((window >>> bits) & 1);
      const offset = code - (firstCode[size] ?? 0);
      if (offset < (codeCount[size] ?? 0)) symbol = ordered[(firstAt[size] ?? 0) + offset] ?? END_OF_STRING;
    }
    if (symbol === END_OF_STRING) return -1;
    out[length++] = symbol;
  }
}

/** The last bits, fewer than eight: codes that are short enough, then ones. */
function finish(window: number, bits: number, out: Uint8Array, decoded: number): number {
  let length = decoded;
  let left = bits;
  while (left >= BITS_MIN) {
    const padded = ((window << (DIRECT_BITS - left)) | ((1 << (DIRECT_BITS - left)) - 1)) & 0xff;
    const entry = direct[padded] ?? 0;
    const size = entry & 15;
    if (entry === 0 || size > left) break;
    out[length++] = entry >>> 4;
    left -= size;
  }
  const ones = (1 << left) - 1;
  return (window & ones) === ones ? length : -1;
}
