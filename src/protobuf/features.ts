import type { RawMessage } from "../bodies/protobuf/raw-message.ts";

/** What a file's syntax or edition means for its fields; each part may say otherwise for itself. */
export interface Features {
  readonly presence: "explicit" | "implicit" | "required";
  readonly closedEnums: boolean;
  /** Messages within messages are groups. */
  readonly delimited: boolean;
}

const PROTO2: Features = { presence: "explicit", closedEnums: true, delimited: false };
const PROTO3: Features = { presence: "implicit", closedEnums: false, delimited: false };
const EDITIONS: Features = { presence: "explicit", closedEnums: false, delimited: false };

export function featuresOfSyntax(syntax: string | null): Features {
  if (syntax === "proto3") return PROTO3;
  return syntax === "editions" ? EDITIONS : PROTO2;
}

/** `options` of a file, message, field or enum, and the number that `features` has there. */
export function withFeatures(base: Features, options: RawMessage | null, number: number): Features {
  const own = options?.message(number) ?? null;
  if (own === null) return base;
  const presence = PRESENCE[own.uint(1) ?? 0] ?? base.presence;
  const enums = own.uint(2) ?? 0;
  const encoding = own.uint(5) ?? 0;
  return {
    presence,
    closedEnums: enums === 0 ? base.closedEnums : enums === CLOSED,
    delimited: encoding === 0 ? base.delimited : encoding === DELIMITED,
  };
}

const PRESENCE: Readonly<Record<number, Features["presence"]>> = { 1: "explicit", 2: "implicit", 3: "required" };
const CLOSED = 2;
const DELIMITED = 2;
