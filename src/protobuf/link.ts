import { RawMessage } from "../bodies/protobuf/raw-message.ts";
import { type Features, withFeatures } from "./features.ts";
import type { EnumType, FieldType, MessageType, OneofType, ScalarKind, ValueType } from "./types.ts";

/** A message type before its fields are known; they are added to the lists that `type` shows. */
export interface DeclaredMessage {
  readonly type: MessageType;
  readonly fields: FieldType[];
  readonly byNumber: Map<number, FieldType>;
  readonly byName: Map<string, FieldType>;
  readonly oneofs: OneofType[];
  readonly raw: RawMessage;
  readonly features: Features;
}

/** All types of a set, by name. */
export interface Declared {
  readonly messages: Map<string, DeclaredMessage>;
  readonly enums: Map<string, EnumType>;
  readonly extensions: { readonly raw: RawMessage; readonly features: Features }[];
}

export class NoSuchType extends Error {
  constructor(name: string, user: string) {
    super(`has no type '${name}', which '${user}' uses; make it with all imports (protoc --include_imports)`);
  }
}

/** `FieldDescriptorProto.Type`. */
const SCALARS: Readonly<Record<number, ScalarKind>> = {
  1: "double",
  2: "float",
  3: "int64",
  4: "uint64",
  5: "int32",
  6: "fixed64",
  7: "fixed32",
  8: "bool",
  9: "string",
  12: "bytes",
  13: "uint32",
  15: "sfixed32",
  16: "sfixed64",
  17: "sint32",
  18: "sint64",
};
const GROUP = 10;
const ENUM = 14;
const LABEL = { required: 2, repeated: 3 } as const;

/** Gives a message its fields and oneofs, and the extensions that others declare of it. */
export function fillMessage(message: DeclaredMessage, declared: Declared): void {
  const { type, raw, features, oneofs } = message;
  const members: FieldType[][] = raw.messages(8).map(() => []);
  const made: OneofType[] = raw.messages(8).map((oneof, at) => ({
    name: oneof?.text(1) ?? "",
    fields: members[at] ?? [],
    options: oneof?.message(2) ?? RawMessage.empty,
  }));
  for (const field of raw.messages(2)) {
    if (field === null) continue;
    const at = field.uint(9);
    const isOptional = field.flag(17);
    const oneof = at === null || isOptional ? null : (made[at] ?? null);
    const filled = fieldOf(field, features, oneof, at !== null, type.name, declared);
    addField(message, filled);
    if (oneof !== null && at !== null) members[at]?.push(filled);
  }
  oneofs.push(...made.filter(({ fields }) => fields.length > 0));
  for (const { raw: extension, features: own } of declared.extensions) {
    if (extension.text(2)?.replace(/^\./, "") !== type.name) continue;
    addField(message, fieldOf(extension, own, null, false, type.name, declared));
  }
}

function addField({ fields, byNumber, byName }: DeclaredMessage, field: FieldType): void {
  fields.push(field);
  byNumber.set(field.number, field);
  byName.set(field.name, field);
  byName.set(field.jsonName, field);
}

function fieldOf(
  raw: RawMessage,
  base: Features,
  oneof: OneofType | null,
  isMember: boolean,
  owner: string,
  declared: Declared,
): FieldType {
  const options = raw.message(8) ?? RawMessage.empty;
  const features = withFeatures(base, options, 21);
  const name = raw.text(1) ?? "";
  const label = raw.uint(4);
  const value = valueTypeOf(raw, features, `${owner}.${name}`, declared);
  const isRepeated = label === LABEL.repeated;
  const isMessage = value.kind === "message" || value.kind === "group";
  return {
    number: raw.uint(3) ?? 0,
    name,
    jsonName: raw.text(10) ?? camelCase(name),
    value,
    isRepeated,
    map: isRepeated && value.kind === "message" ? mapOf(value.type, declared) : null,
    hasPresence: !isRepeated && (isMessage || isMember || features.presence !== "implicit"),
    isRequired: label === LABEL.required || (!isRepeated && features.presence === "required"),
    oneof,
    options,
  };
}

function valueTypeOf(raw: RawMessage, features: Features, user: string, declared: Declared): ValueType {
  const number = raw.uint(5) ?? 0;
  const kind = SCALARS[number];
  if (kind !== undefined) return { kind };
  const wanted = (raw.text(6) ?? "").replace(/^\./, "");
  const enumeration = number === ENUM ? declared.enums.get(wanted) : undefined;
  if (enumeration !== undefined) return { kind: "enum", type: enumeration };
  const message = number === ENUM ? undefined : declared.messages.get(wanted);
  if (message === undefined) throw new NoSuchType(wanted, user);
  const isGroup = number === GROUP || (features.delimited && !message.type.isMapEntry);
  return { kind: isGroup ? "group" : "message", type: message.type };
}

/** Key and value of a map's entries; null where the messages are none. */
function mapOf(type: MessageType, declared: Declared): FieldType["map"] {
  const entry = declared.messages.get(type.name);
  if (!type.isMapEntry || entry === undefined) return null;
  const [key, value] = [1, 2].map((number) => entry.raw.messages(2).find((field) => field?.uint(3) === number));
  if (!key || !value) return null;
  // A value of a map is no group, whatever its file says.
  const features = { ...entry.features, delimited: false };
  const made = (raw: RawMessage) => fieldOf(raw, features, null, false, type.name, declared);
  return { key: made(key), value: made(value) };
}

/** As protoc makes the name in JSON: an underscore makes the next letter a capital. */
function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])?/g, (_, letter: string | undefined) => (letter ?? "").toUpperCase());
}
