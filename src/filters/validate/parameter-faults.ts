import { type BodyError, CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import type { ParameterFault } from "./parameters.ts";

const REASON_OF = {
  path: "parameter_invalid",
  query: "parameter_invalid",
  header: "header_invalid",
  cookie: "parameter_invalid",
  form: "form_field_invalid",
} as const;

/** All that is wrong with the parameters of one section, the first of it in front. */
export class ParameterFaults {
  readonly #in: NonNullable<BodyError["in"]>;
  readonly #found: (ParameterFault & { readonly name: string | null })[] = [];

  constructor(section: NonNullable<BodyError["in"]>) {
    this.#in = section;
  }

  /** `name` is null for what is wrong with the section as a whole. */
  add(name: string | null, faults: readonly ParameterFault[]): void {
    for (const fault of faults) if (this.#found.length < DEFAULTS.schemaFaultsMax) this.#found.push({ ...fault, name });
  }

  verdict(showsErrors: boolean): Verdict {
    const [first] = this.#found;
    if (first === undefined) return CONTINUE;
    const textOf = ({ name, seen }: typeof first): string =>
      `${this.#in}${name === null ? "" : ` ${excerpt(name)}`}: ${seen}`;
    const more = this.#found.length > 1 ? ` and ${this.#found.length - 1} more` : "";
    const errors = this.#found.map(({ name, pointer, keyword, detail }) => {
      return { in: this.#in, ...(name === null ? {} : { name: excerpt(name) }), pointer, keyword, detail };
    });
    const faults = this.#found.map((fault) => `${textOf(fault)} (${placeText(fault)})`);
    const reason = REASON_OF[this.#in];
    const body = { faults, errors: showsErrors ? errors : [] };
    return new Denial(reason, first.place, `${textOf(first)}${more}`, first.detail, [], false, [], body);
  }
}

export function placeText({ place }: { readonly place: Pick<Place, "file" | "line" | "column"> }): string {
  return `${place.file}:${place.line}:${place.column}`;
}
