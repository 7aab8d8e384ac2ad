/** What a parser made of some bytes. */
export interface Message {
  /** Method and target of a request, status of a response. */
  readonly start: string;
  /** `name: value`, names in lower case, values without blanks around them. */
  readonly headers: readonly string[];
  /** Body bytes as latin1. */
  readonly body: string;
  /** Whether it asks for another protocol; known of our own readings only. */
  readonly upgrade?: boolean;
  /** Whether it has a body that its method has not, so that the route judges it; known of our own readings only. */
  readonly stray?: boolean;
}

export interface Reading {
  /** Messages read whole, in order. */
  readonly messages: readonly Message[];
  /** Why nothing more is read; null where the parser waits for more bytes. */
  readonly end: string | null;
  /** True where bytes are left that make no whole message yet. */
  readonly partial: boolean;
}

export const sameMessage = (a: Message, b: Message): boolean =>
  a.start === b.start && a.body === b.body && a.headers.join("\n") === b.headers.join("\n");

export const trimBlanks = (value: string): string => value.replace(/^[ \t]+|[ \t]+$/g, "");
