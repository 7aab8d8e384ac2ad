import type { RequestRecord } from "./request-record.ts";

/** What fields are called, and how their values stand there. */
export interface LogNames {
  /** Members that every line has, as JSON with a comma before each. */
  readonly constants: string;
  /** Names of members that are no field: of `constants`, `ofRequest` and `ofEvent`. */
  readonly own: readonly string[];
  /** Members that follow from what became of a request, likewise; null for none. */
  readonly ofRequest: ((record: RequestRecord) => string) | null;
  /** Of a line of the process. */
  ofEvent(event: string, fields: Readonly<Record<string, unknown>>): string;
  nameOf(field: string): string;
  /** JSON of a value in postern's form → in the form that this name has; null where the two are one. */
  formOf(field: string): ((json: string) => string) | null;
}

/** Postern's own. */
export const PLAIN_NAMES: LogNames = {
  constants: "",
  own: [],
  ofRequest: null,
  ofEvent: () => "",
  nameOf: (field) => field,
  formOf: () => null,
};
