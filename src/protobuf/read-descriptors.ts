import { RawMessage } from "../bodies/protobuf/raw-message.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Steps } from "../support/turns.ts";
import { type Features, featuresOfSyntax, withFeatures } from "./features.ts";
import { type Declared, fillMessage, NoSuchType } from "./link.ts";
import type { Descriptors, EnumType, MessageType, MethodType, ServiceType } from "./types.ts";

/**
 * A FileDescriptorSet (google/protobuf/descriptor.proto) as protoc and buf write it, with all that it imports → its services
 * and types. The error says what is wrong with the file as a whole.
 */
export function* readDescriptors(bytes: Buffer): Steps<Result<Descriptors, string>> {
  if (bytes.length > DEFAULTS.descriptorBytesMax) return err(`has more than ${DEFAULTS.descriptorBytesMax} bytes`);
  const set = RawMessage.read(bytes);
  const files = set?.messages(1) ?? [];
  if (set === null || files.length === 0 || files.includes(null)) return err(NO_SET);
  const declared: Declared = { messages: new Map(), enums: new Map(), extensions: [] };
  const services: { readonly name: string; readonly raw: RawMessage }[] = [];
  for (const file of files) {
    if (file === null) continue;
    const packaged = file.text(2) ?? "";
    const features = withFeatures(featuresOfSyntax(file.text(12)), file.message(8), 50);
    declareAll(file, packaged, features, declared);
    for (const raw of file.messages(6)) if (raw !== null) services.push({ name: nameIn(packaged, raw), raw });
    if (declared.messages.size + declared.enums.size > DEFAULTS.descriptorTypesMax)
      return err(`has more than ${DEFAULTS.descriptorTypesMax} types`);
    yield;
  }
  try {
    let fields = 0;
    for (const message of declared.messages.values()) {
      fillMessage(message, declared);
      fields += message.type.fields.length;
      if (fields > DEFAULTS.descriptorFieldsMax) return err(`has more than ${DEFAULTS.descriptorFieldsMax} fields`);
      yield;
    }
    const messages = new Map([...declared.messages].map(([name, { type }]) => [name, type]));
    return ok({
      messages,
      services: new Map(services.map((one) => [one.name, serviceOf(one.name, one.raw, messages)])),
    });
  } catch (error) {
    if (error instanceof NoSuchType) return err(error.message);
    throw error;
  }
}

const NO_SET =
  "is no set of descriptors; expected what 'protoc --descriptor_set_out=FILE --include_imports' or 'buf build -o FILE.binpb' writes";

function nameIn(scope: string, raw: RawMessage): string {
  const name = raw.text(1) ?? "";
  return scope === "" ? name : `${scope}.${name}`;
}

/** What a file has at its top: types of messages 4, enums 5, extensions 7. */
function declareAll(file: RawMessage, scope: string, features: Features, declared: Declared): void {
  for (const raw of file.messages(4)) if (raw !== null) declareMessage(raw, scope, features, declared, 0);
  for (const raw of file.messages(5)) if (raw !== null) declareEnum(raw, scope, features, declared);
  for (const raw of file.messages(7)) if (raw !== null) declared.extensions.push({ raw, features });
}

function declareMessage(raw: RawMessage, scope: string, base: Features, declared: Declared, depth: number): void {
  const name = nameIn(scope, raw);
  const options = raw.message(7) ?? RawMessage.empty;
  const features = withFeatures(base, options, 12);
  const fields: MessageType["fields"][number][] = [];
  const byNumber = new Map<number, MessageType["fields"][number]>();
  const byName = new Map<string, MessageType["fields"][number]>();
  const oneofs: MessageType["oneofs"][number][] = [];
  const type: MessageType = { name, fields, byNumber, byName, oneofs, isMapEntry: options.flag(7), options };
  declared.messages.set(name, { type, fields, byNumber, byName, oneofs, raw, features });
  if (depth >= DEFAULTS.messageDepthMax) return;
  for (const inner of raw.messages(3)) if (inner !== null) declareMessage(inner, name, features, declared, depth + 1);
  for (const inner of raw.messages(4)) if (inner !== null) declareEnum(inner, name, features, declared);
  for (const inner of raw.messages(6)) if (inner !== null) declared.extensions.push({ raw: inner, features });
}

function declareEnum(raw: RawMessage, scope: string, base: Features, declared: Declared): void {
  const name = nameIn(scope, raw);
  const byName = new Map<string, number>();
  for (const value of raw.messages(2)) {
    const text = value?.text(1) ?? null;
    if (value !== null && text !== null) byName.set(text, (value.bits(2, 0).at(-1)?.[0] ?? 0) | 0);
  }
  const type: EnumType = {
    name,
    numbers: new Set(byName.values()),
    byName,
    isClosed: withFeatures(base, raw.message(3), 7).closedEnums,
  };
  declared.enums.set(name, type);
}

function serviceOf(name: string, raw: RawMessage, messages: ReadonlyMap<string, MessageType>): ServiceType {
  const methods: MethodType[] = [];
  for (const method of raw.messages(2)) {
    if (method === null) continue;
    const own = method.text(1) ?? "";
    const wanted = (method.text(2) ?? "").replace(/^\./, "");
    const input = messages.get(wanted);
    if (input === undefined) throw new NoSuchType(wanted, `${name}/${own}`);
    methods.push({
      name: own,
      path: `/${name}/${own}`,
      input,
      clientStreaming: method.flag(5),
      serverStreaming: method.flag(6),
      hasNoSideEffects: method.message(4)?.uint(34) === NO_SIDE_EFFECTS,
    });
  }
  return { name, methods };
}

const NO_SIDE_EFFECTS = 1;
