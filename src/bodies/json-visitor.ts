import type { Charset } from "./answer-format.ts";
import type { AskedNames, Others } from "./json-asked.ts";

/**
 * Who is told of a JSON text as it goes by. A `Node` is what the visitor itself knows of a place; within null nothing more
 * is told, and names are not read. Positions are those of the bytes that are being fed.
 */
export interface JsonVisitor<Node> {
  /** A text begins, with this byte. */
  beginText(byte: number, at: number): Node | null;
  /** It is over. */
  endText(at: number): void;
  /**
   * A value begins within `of`: of the member of that name or the item of that index. `from`: where begins what stands
   * there for its sake, be it a comma, its name or itself; `own`: its name, or itself. Gives what is known within it.
   */
  begin(of: Node, key: string | number, byte: number, from: number, own: number, at: number): Node | null;
  /** It is over; `at` is behind it. */
  endValue(of: Node, at: number): void;
  /**
   * Which members within `of` have to be told whose names are none of the option `asked`, as of now. All if absent. `isFirst`:
   * none has come.
   */
  others?(of: Node, isFirst: boolean): Others;
  /** Some were passed over. */
  passed?(of: Node): void;
  /** All within a container whose inside was asked for has been told; before `endValue`. */
  close(inside: Node): void;
}

export interface JsonStreamOptions {
  readonly charset?: Charset;
  /** Names of members that are told whatever `others` says. */
  readonly asked?: AskedNames | null;
  /** Containers within each other. */
  readonly depthMax?: number;
  /** False: names are not read, each key of an object is told as "", and nothing has to be kept. */
  readonly readsNames?: boolean;
  /**
   * Of what is fed at once only the end counts: a container that ends in it is told and not what is in it, `close` neither. A
   * name that cannot be read is told as "".
   */
  readonly skips?: boolean;
}
