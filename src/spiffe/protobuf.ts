/** One field of a protocol buffer message: the kinds that hold other messages, bytes and text. */
export interface Field {
  readonly number: number;
  readonly bytes: Buffer;
}

const VARINT = 0;
const I64 = 1;
const LEN = 2;
const I32 = 5;

/** The length-delimited fields of a message, in its order; numbers are passed over. Null where the bytes are no message. */
export function fieldsOf(message: Buffer): readonly Field[] | null {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const tag = varint(message, at);
    if (tag === null || tag.value < 8) return null;
    at = tag.end;
    const kind = tag.value % 8;
    const length = kind === LEN || kind === VARINT ? varint(message, at) : null;
    if (kind === VARINT && length !== null) at = length.end;
    else if (kind === LEN && length !== null) {
      const end = length.end + length.value;
      if (end > message.length) return null;
      fields.push({ number: Math.floor(tag.value / 8), bytes: message.subarray(length.end, end) });
      at = end;
    } else if (kind === I64 || kind === I32) at += kind === I64 ? 8 : 4;
    else return null;
  }
  return at === message.length ? fields : null;
}

/** A varint of up to ten bytes; what is beyond 2^53 loses precision, and no length may be that long. */
function varint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } | null {
  let value = 0;
  let scale = 1;
  for (let at = start; at < Math.min(start + 10, bytes.length); at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return null;
}
