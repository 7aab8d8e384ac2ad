import type { SchemaPlace } from "../schema/document.ts";
import type { Extensions } from "./extensions.ts";
import type { SourceDocument } from "./source.ts";

/** A schema where it stands in a description: never a copy of it. */
export interface SchemaReference {
  readonly document: SourceDocument;
  /** JSON Pointer (RFC 6901) in that document, behind the references that only lead to it. */
  readonly pointer: string;
  readonly value: unknown;
  readonly place: SchemaPlace;
}

export type ParameterIn = "path" | "query" | "header" | "cookie" | "querystring";
export type Style =
  | "simple"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "deepObject"
  | "label"
  | "matrix"
  | "cookie";

export interface DescribedParameter {
  readonly name: string;
  readonly in: ParameterIn;
  readonly style: Style;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  readonly allowEmptyValue: boolean;
  readonly required: boolean;
  readonly deprecated: boolean;
  /** Null where `content` says it, or nothing. */
  readonly schema: SchemaReference | null;
  readonly content: MediaRange | null;
  readonly place: SchemaPlace;
}

export interface MediaRange {
  /** In lower case: `application/json`, `text/*`; parameters as they stand. */
  readonly range: string;
  /** The same as it is written. */
  readonly written: string;
  readonly schema: SchemaReference | null;
  /** Of each item of a stream (3.2). */
  readonly itemSchema: SchemaReference | null;
  /** Property → its encoding, as it stands; null where there is none. */
  readonly encoding: Readonly<Record<string, unknown>> | null;
  /** Encodings of the first parts of a multipart body, and of those behind (3.2), as they stand; null where there are none. */
  readonly prefixEncoding: readonly unknown[] | null;
  readonly itemEncoding: Readonly<Record<string, unknown>> | null;
  /** Headers of parts, by the encoding that has them, as it stands in one of these. */
  readonly partHeaders: ReadonlyMap<unknown, readonly DescribedParameter[]>;
  readonly place: SchemaPlace;
}

export interface DescribedBody {
  readonly required: boolean;
  readonly media: readonly MediaRange[];
  readonly place: SchemaPlace;
}

/** Schemes of which all have to be met, each with its scopes or roles. */
export interface Requirement {
  readonly schemes: readonly {
    readonly name: string;
    readonly scopes: readonly string[];
    readonly place: SchemaPlace;
  }[];
  readonly place: SchemaPlace;
}

export interface Answer {
  /** `200`, `4XX`, `default`. */
  readonly status: string;
  readonly media: readonly MediaRange[];
  /** As parameters in headers, those that OpenAPI has ignored left out. */
  readonly headers: readonly DescribedParameter[];
  readonly place: SchemaPlace;
}

/** What all versions mean by an operation. */
export interface Operation {
  /** Null where the description gives none. */
  readonly id: string | null;
  /** Upper case. */
  readonly method: string;
  /** As it stands, without the base path. */
  readonly template: string;
  /** Base paths of its servers, each without a slash at its end; `""` for none. */
  readonly bases: readonly string[];
  readonly place: SchemaPlace;
  readonly pointer: string;
  readonly deprecated: boolean;
  readonly parameters: readonly DescribedParameter[];
  /** Null where it has none. */
  readonly body: DescribedBody | null;
  /** Alternatives, one of which has to be met; null where nothing is said, empty where it is said that nothing is needed. */
  readonly security: readonly Requirement[] | null;
  readonly extensions: Extensions;
  /** Read when somebody asks: they say nothing of requests. */
  answers(): readonly Answer[];
}

/** Kinds of security schemes in one word each. */
export type SchemeKind = "oauth2" | "openIdConnect" | "bearer" | "basic" | "apiKey" | "mutualTLS" | "http";

export interface SecurityScheme {
  readonly name: string;
  readonly kind: SchemeKind;
  /** Of an API key: where it stands and what it is called there. */
  readonly in: "header" | "query" | "cookie" | null;
  readonly parameter: string | null;
  readonly openIdConnectUrl: string | null;
  readonly tokenUrl: string | null;
  /** Of its tokens, where an extension says so; no audience where none does. */
  readonly issuer: string | null;
  readonly audience: readonly string[];
  readonly place: SchemaPlace;
}
