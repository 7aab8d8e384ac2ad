import { WIRE, WireReader } from "../bodies/protobuf/wire.ts";

/** One field of a protocol buffer message: the kinds that hold other messages, bytes and text. */
export interface Field {
  readonly number: number;
  readonly bytes: Buffer;
}

/** The length-delimited fields of a message, in its order; numbers are passed over. Null where the bytes are no message. */
export function fieldsOf(message: Buffer): readonly Field[] | null {
  const fields: Field[] = [];
  const reader = new WireReader(message);
  while (!reader.isOver) {
    if (!reader.readTag()) return null;
    if (reader.wire !== WIRE.len) {
      // Nor has an agent's message groups, which nobody writes any more.
      if (!reader.skip(0)) return null;
      continue;
    }
    const end = reader.readLength();
    if (end < 0) return null;
    fields.push({ number: reader.number, bytes: message.subarray(reader.at, end) });
    reader.at = end;
  }
  return fields;
}
