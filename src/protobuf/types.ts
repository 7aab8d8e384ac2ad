import type { RawMessage } from "../bodies/protobuf/raw-message.ts";

/** Types of fields that are no messages, in the words of Protocol Buffers. */
export type ScalarKind =
  | "double"
  | "float"
  | "int64"
  | "uint64"
  | "int32"
  | "fixed64"
  | "fixed32"
  | "bool"
  | "string"
  | "bytes"
  | "uint32"
  | "sfixed32"
  | "sfixed64"
  | "sint32"
  | "sint64";

/** What a value of a field is; of a map, its entries. */
export type ValueType =
  | { readonly kind: ScalarKind }
  | { readonly kind: "enum"; readonly type: EnumType }
  | { readonly kind: "message" | "group"; readonly type: MessageType };

export interface FieldType {
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  readonly value: ValueType;
  readonly isRepeated: boolean;
  /** Repeated messages that are entries of one map. */
  readonly map: { readonly key: FieldType; readonly value: FieldType } | null;
  /** Whether one that is not there and one that is zero are told apart. */
  readonly hasPresence: boolean;
  /** Of proto2: a message without it is none. */
  readonly isRequired: boolean;
  /** Null where it stands alone, or in a oneof that `optional` made. */
  readonly oneof: OneofType | null;
  readonly options: RawMessage;
}

export interface OneofType {
  readonly name: string;
  readonly fields: readonly FieldType[];
  readonly options: RawMessage;
}

export interface MessageType {
  /** With its package: `orders.v1.Order`. */
  readonly name: string;
  /** In the order of the descriptor, extensions last. */
  readonly fields: readonly FieldType[];
  readonly byNumber: ReadonlyMap<number, FieldType>;
  /** By name and by the name in JSON. */
  readonly byName: ReadonlyMap<string, FieldType>;
  readonly oneofs: readonly OneofType[];
  readonly isMapEntry: boolean;
  readonly options: RawMessage;
}

export interface EnumType {
  readonly name: string;
  readonly numbers: ReadonlySet<number>;
  readonly byName: ReadonlyMap<string, number>;
  /** What is none of its numbers is none of its values. */
  readonly isClosed: boolean;
}

export interface MethodType {
  readonly name: string;
  /** As it is called: `/orders.v1.Orders/Create`. */
  readonly path: string;
  readonly input: MessageType;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
  /** `idempotency_level = NO_SIDE_EFFECTS`, so that Connect may call it by GET. */
  readonly hasNoSideEffects: boolean;
}

export interface ServiceType {
  readonly name: string;
  readonly methods: readonly MethodType[];
}

/** What a file of descriptors holds. */
export interface Descriptors {
  readonly services: ReadonlyMap<string, ServiceType>;
  readonly messages: ReadonlyMap<string, MessageType>;
}

/** A message's values, by field number. A field that is not there has none. */
export interface MessageValue {
  readonly type: MessageType;
  readonly fields: ReadonlyMap<number, FieldValue>;
}

/** Whole numbers of 64 bits are bigint, other numbers and enums number. */
export type Scalar = number | bigint | boolean | string | Buffer;

export type SingleValue = Scalar | MessageValue;

export type FieldValue = SingleValue | readonly SingleValue[] | ReadonlyMap<Scalar, SingleValue>;
