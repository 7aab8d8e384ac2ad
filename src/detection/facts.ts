import type { CharSet } from "../schema/pattern/char-set.ts";

/** A name and a value, as byte texts. */
export interface NamedText {
  readonly name: string;
  readonly value: string;
  /** Which of the route's constraints holds for the value; -1 where none does. */
  readonly shape: number;
}

/** What a route's contract says of a value. */
export interface ValueConstraint {
  /** Code points of which it consists; null where all may be. */
  readonly alphabet: CharSet | null;
  /** In code points. */
  readonly lengthMax: number | null;
  /** Nothing is left to search in it: it is a number, or one of a list. */
  readonly isClosed: boolean;
}

/** How a body is read: "" as raw bytes. */
export type BodyProcessor = "" | "URLENCODED" | "MULTIPART" | "JSON" | "XML";

/** What rules see of a request before its body. All texts are byte texts. */
export interface RequestFacts {
  readonly method: string;
  /** Path and query, as sent: REQUEST_URI. */
  readonly uri: string;
  /** The target of the request line, as sent: REQUEST_URI_RAW. */
  readonly uriRaw: string;
  /** Path, decoded once: REQUEST_FILENAME. */
  readonly path: string;
  /** Behind the question mark, as sent. */
  readonly query: string;
  /** `HTTP/1.1`, `HTTP/2.0`. */
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly id: string;
  readonly bodyProcessor: BodyProcessor;
  /** In order, names as sent. */
  readonly headers: readonly NamedText[];
  readonly cookies: readonly NamedText[];
  /** Parameters of the route's path. */
  readonly argsPath: readonly NamedText[];
  readonly argsGet: readonly NamedText[];
}

/** What rules see of a request's body. */
export interface BodyFacts {
  readonly processor: BodyProcessor;
  /** Why it could not be read; null where it could. */
  readonly error: string | null;
  /** Fields of forms; leaves of JSON as `json.items.0.name`. */
  readonly args: readonly NamedText[];
  /** Field → file name. */
  readonly files: readonly NamedText[];
  /** Bytes of all files. */
  readonly filesBytes: number;
  /** Name of the part → line of its head. */
  readonly partHeaders: readonly NamedText[];
  readonly xmlTexts: readonly string[];
  readonly xmlAttributes: readonly string[];
  /** The bytes of the body; "" where it has a reading and is no form. */
  readonly raw: string;
  readonly length: number;
}

/** A request without a body. */
export const NO_BODY: BodyFacts = {
  processor: "",
  error: null,
  args: [],
  files: [],
  filesBytes: 0,
  partHeaders: [],
  xmlTexts: [],
  xmlAttributes: [],
  raw: "",
  length: 0,
};

/** What rules see of an answer. */
export interface AnswerFacts {
  readonly status: number;
  readonly protocol: string;
  readonly headers: readonly NamedText[];
  /** Null while it is not there. */
  readonly body: string | null;
}
