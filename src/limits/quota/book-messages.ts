/** Counts on their way to the file, or from it; the arrays have one entry a count. */
export interface CountRows {
  readonly keys: Float64Array;
  readonly used: Float64Array;
  /** Null where nothing may be shown, and where the file has it already. */
  readonly labels: readonly (string | null)[];
  /** Keys that are counted no more. */
  readonly gone: Float64Array;
}

/** Changes of one quota. What the file has of another window is gone. */
export interface QuotaRows extends CountRows {
  readonly identity: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** To the thread that writes. It answers each of the first three in its order. */
export type BookRequest =
  | {
      readonly kind: "open";
      /** Absolute; the file exists, empty at first. */
      readonly file: string;
      /** Of the secret that keys were made with: counts that another one made are of no use. */
      readonly seedDigest: string;
      /** Unix milliseconds; windows that were over then are forgotten. */
      readonly nowMs: number;
    }
  | { readonly kind: "load"; readonly identity: string; readonly startMs: number }
  | { readonly kind: "write"; readonly quotas: readonly QuotaRows[] }
  | { readonly kind: "close" };

export type BookAnswer =
  | { readonly kind: "done"; readonly note: string | null }
  /** Some rows of a `load`; others follow until `done`. */
  | { readonly kind: "rows"; readonly rows: CountRows }
  /** The file is closed. `isDamaged`: it can never be used again. */
  | { readonly kind: "failed"; readonly text: string; readonly isDamaged: boolean };
