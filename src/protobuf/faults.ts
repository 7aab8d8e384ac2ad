import { DEFAULTS } from "../support/defaults.ts";

/** What is wrong at one place of a message. Nothing of its values. */
export interface MessageFault {
  /** JSON Pointer of names as the descriptor has them: `/items/0/quantity`. */
  readonly pointer: string;
  /** `protobuf` for what is no message of its type, `unknown`, or the rule's id as in `string.min_len`. */
  readonly keyword: string;
  readonly detail: string;
}

/** What is wrong with one message, as far as it is told; `count` is all of it. */
export class MessageFaults {
  readonly list: MessageFault[] = [];
  count = 0;

  get isFull(): boolean {
    return this.list.length >= DEFAULTS.messageFaultsMax;
  }

  add(pointer: string, keyword: string, detail: string): void {
    this.count++;
    if (!this.isFull) this.list.push({ pointer, keyword, detail });
  }
}

/** A name as one step of a JSON Pointer (RFC 6901). */
export function step(name: string | number): string {
  return `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
