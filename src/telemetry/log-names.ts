/** What fields are called, and how their values stand there. */
export interface LogNames {
  /** Members that every line has, as JSON with a comma before each. */
  readonly constants: string;
  nameOf(field: string): string;
  /** JSON of a value in postern's form → in the form that this name has; null where the two are one. */
  formOf(field: string): ((json: string) => string) | null;
}

/** Postern's own. */
export const PLAIN_NAMES: LogNames = {
  constants: "",
  nameOf: (field) => field,
  formOf: () => null,
};
