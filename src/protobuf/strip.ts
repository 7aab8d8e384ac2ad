import { WIRE, WireReader } from "../bodies/protobuf/wire.ts";
import { varintBytes } from "../bodies/protobuf/writer.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import type { MessageType } from "./types.ts";

/** A message that could be read, without the fields that its type does not have. */
export function* withoutUnknown(bytes: Buffer, type: MessageType): Steps<Buffer> {
  const parts: Buffer[] = [];
  yield* stripInto(new WireReader(bytes), type, parts);
  return Buffer.concat(parts);
}

function* stripInto(reader: WireReader, type: MessageType, parts: Buffer[]): Steps<void> {
  const { bytes } = reader;
  while (!reader.isOver) {
    if (parts.length % DEFAULTS.messageValuesInOneStep === DEFAULTS.messageValuesInOneStep - 1) yield;
    const start = reader.at;
    if (!reader.readTag()) return;
    const { wire } = reader;
    const field = type.byNumber.get(reader.number);
    if (wire === WIRE.groupEnd) {
      parts.push(bytes.subarray(start, reader.at));
      return;
    }
    if (field?.value.kind === "message" && wire === WIRE.len) {
      parts.push(bytes.subarray(start, reader.at));
      const end = reader.readLength();
      const inner: Buffer[] = [];
      yield* stripInto(new WireReader(bytes, reader.at, end), field.value.type, inner);
      parts.push(varintBytes(inner.reduce((sum, { length }) => sum + length, 0)));
      for (const part of inner) parts.push(part);
      reader.at = end;
    } else if (field?.value.kind === "group" && wire === WIRE.groupStart) {
      parts.push(bytes.subarray(start, reader.at));
      yield* stripInto(reader, field.value.type, parts);
    } else {
      if (!reader.skip(DEFAULTS.messageDepthMax)) return;
      if (field !== undefined) parts.push(bytes.subarray(start, reader.at));
    }
  }
}
