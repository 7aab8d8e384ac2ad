import type { Reason } from "./reason.ts";

/** Where in the policy a check stands, so that every denial can name its line. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The keys that lead there, as in `routes[2].authorize.scopes`. */
  readonly path: string;
}

/** A check by its name and where it stands. */
export interface CheckName {
  readonly name: string;
  readonly place: Place;
}

/** A header line of an answer, its name in lower case. */
export type HeaderLine = readonly [name: string, value: string];

/** What one of several had against the request. */
export interface DenialPart {
  /** Its name in the policy. */
  readonly name: string;
  /** Null where there was nothing for it to judge, or nothing against it. */
  readonly denial: Denial | null;
  /** Whom it knew, where it had nothing against the request and others had. */
  readonly caller?: string;
}

/** What is wrong at one place of a body, or of a parameter. */
export interface BodyError {
  /** Where the parameter stands; absent for a body. */
  readonly in?: "path" | "query" | "header" | "cookie" | "form";
  /** Of a stream, which of its items, counted from 1. */
  readonly item?: number;
  /** Of a multipart body, which of its parts, counted from 1. */
  readonly part?: number;
  /** What it is called; absent where the query as a whole has no one reading. */
  readonly name?: string;
  /** JSON Pointer (RFC 6901). */
  readonly pointer: string;
  /**
   * Of JSON Schema; of a parameter also what of its form is wrong: `style`, `content`, `query`, `spelling`,
   * `connection`, `unknownQuery`; of a form and its files also the key of the policy, `fileName` or `content`.
   */
  readonly keyword: string;
  readonly detail: string;
}

/** All that is wrong with a body, or with parameters, as far as it was looked for. */
export interface BodyErrors {
  /** For the log: place in the body or name of the parameter, keyword, place in the schema or policy. */
  readonly faults: readonly string[];
  /** For the client; empty where the policy keeps them from it. Nothing of the values. */
  readonly errors: readonly BodyError[];
}

const NO_BODY_ERRORS: BodyErrors = { faults: [], errors: [] };

/** Why a request is refused. `seen` and `wanted` are for the log and never hold a secret; the client gets neither. */
export class Denial {
  readonly reason: Reason;
  /** The check's place in the policy; null where the refusal is HTTP's own, as for a malformed request. */
  readonly place: Place | null;
  readonly seen: string;
  readonly wanted: string;
  /** Header lines that the answer needs: WWW-Authenticate, Allow, Retry-After, Accept. */
  readonly headers: readonly HeaderLine[];
  /** The request cannot be forwarded any more (its body is lost), so that even a check that only audits ends it. */
  readonly terminal: boolean;
  /** Where several were asked and each said no: who, and why. For `explain`. */
  readonly parts: readonly DenialPart[];
  readonly body: BodyErrors;

  constructor(
    reason: Reason,
    place: Place | null,
    seen: string,
    wanted: string,
    headers: readonly HeaderLine[] = NO_HEADERS,
    terminal: boolean = false,
    parts: readonly DenialPart[] = NO_PARTS,
    body: BodyErrors = NO_BODY_ERRORS,
  ) {
    this.reason = reason;
    this.place = place;
    this.seen = seen;
    this.wanted = wanted;
    this.headers = headers;
    this.terminal = terminal;
    this.parts = parts;
    this.body = body;
  }
}

/** Why a request is beyond a limit that the caller has. */
export class LimitDenial extends Denial {
  /** The limit's name, where clients are told of limits. */
  readonly violated: string | null;

  constructor(
    reason: Reason,
    place: Place,
    seen: string,
    wanted: string,
    headers: readonly HeaderLine[],
    { name, fields }: { readonly name: string; readonly fields: readonly unknown[] },
  ) {
    super(reason, place, seen, wanted, headers);
    this.violated = fields.length === 0 ? null : name;
  }
}

/** Why somebody is refused whom a list names, or does not name. */
export class ListDenial extends Denial {
  /** Its name in log and metrics: the file's as the policy has it, or the key under which it stands there. */
  readonly list: string;

  constructor(reason: Reason, place: Place, seen: string, wanted: string, list: string) {
    super(reason, place, seen, wanted);
    this.list = list;
  }
}

/** Why a request comes too late for what it asks for. */
export class EndDenial extends Denial {
  /** What the problem document says besides: when it ends, and where clients go on. Visible ASCII. */
  readonly members: Readonly<Record<string, string>>;

  constructor(
    reason: Reason,
    place: Place,
    seen: string,
    wanted: string,
    headers: readonly HeaderLine[],
    members: Readonly<Record<string, string>>,
  ) {
    super(reason, place, seen, wanted, headers);
    this.members = members;
  }
}

const NO_HEADERS: readonly HeaderLine[] = [];
const NO_PARTS: readonly DenialPart[] = [];

/** The verdict of a check that has nothing against the request. It allows nothing by itself: only a Permit forwards. */
export const CONTINUE = null;

export type Verdict = Denial | typeof CONTINUE;
