import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import { pointerToken, type SchemaPlace, type Site } from "../document.ts";

/** Where a value is not as its schema says. */
export interface Fault {
  /** JSON Pointer (RFC 6901) into the value; names that no schema knows are cut and escaped. */
  readonly pointer: string;
  readonly keyword: string;
  /** Of the keyword in the schema's file; null in a schema without a file. */
  readonly place: SchemaPlace | null;
  /** What is expected; nothing of the value. */
  readonly detail: string;
}

/** What a check says where it fails; made once, when the schema is compiled. */
export interface Complaint {
  readonly keyword: string;
  readonly detail: string;
  readonly site: Site | null;
}

interface Entry extends Complaint {
  readonly pointer: string;
  /** The way to the value, by positions in their containers: what document order is. */
  readonly order: readonly number[];
}

/** Faults are looked for no longer when this many were found again, by another way to the same schema. */
const REPEATS_MAX = 1_000;

/** Faults with the way to where they are, while a value is gone through. */
export class FaultList {
  readonly #entries = new Map<string, Entry>();
  readonly #tokens: string[] = [];
  readonly #order: number[] = [];
  #repeats = 0;

  get isFull(): boolean {
    return this.#entries.size >= DEFAULTS.schemaFaultsMax || this.#repeats > REPEATS_MAX;
  }

  /** Goes down to a member or item, which is the `at`th of its container. */
  enter(name: string | number, at: number, isDeclared: boolean): void {
    this.#tokens.push(isDeclared || typeof name === "number" ? pointerToken(name) : pointerToken(excerpt(name)));
    this.#order.push(at);
  }

  leave(): void {
    this.#tokens.pop();
    this.#order.pop();
  }

  /** How deep it is; `leaveTo` brings it back there where the way was broken off. */
  get depth(): number {
    return this.#tokens.length;
  }

  leaveTo(depth: number): void {
    this.#tokens.length = depth;
    this.#order.length = depth;
  }

  add(complaint: Complaint): void {
    const pointer = this.#tokens.length === 0 ? "" : `/${this.#tokens.join("/")}`;
    const place = complaint.site?.place;
    const key = `${pointer} ${complaint.keyword} ${complaint.detail} ${place?.line}:${place?.column}`;
    if (this.isFull || this.#entries.has(key)) this.#repeats++;
    else this.#entries.set(key, { ...complaint, pointer, order: [...this.#order] });
  }

  /** In document order, what is wrong with a container before what is wrong inside it. */
  sorted(): readonly Fault[] {
    return [...this.#entries.values()]
      .sort((a, b) => compareOrder(a.order, b.order))
      .map(({ pointer, keyword, site, detail }) => ({ pointer, keyword, place: site?.place ?? null, detail }));
  }
}

function compareOrder(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
