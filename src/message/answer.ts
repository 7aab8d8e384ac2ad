import type { HeaderBlock } from "./headers.ts";

/** What an answer says of a body that does not leave. Its coding is undone where somebody looks into it. */
export const OF_THE_BODY: ReadonlySet<string> = new Set([
  "content-type",
  "content-language",
  "content-location",
  "content-range",
  "content-disposition",
  "etag",
  "last-modified",
]);

/** The head of a service's answer, as those who look at answers see it. */
export class Answer {
  readonly status: number;
  /** As the service sent them; a check of phase `respond` may put another block in their place. */
  headers: HeaderBlock;
  /** Whether a body belongs to it: not to HEAD, 204 and 304. It may be empty. */
  readonly hasBody: boolean;
  /** Another body leaves in place of the service's, which no later check is asked about. */
  isReplaced = false;
  /** Of the decision, as the log has it. */
  readonly id: string;

  constructor(status: number, headers: HeaderBlock, hasBody: boolean, id: string = "") {
    this.status = status;
    this.headers = headers;
    this.hasBody = hasBody;
    this.id = id;
  }
}

/** Sees one answer go by as the service sent it, and changes nothing of it. Never throws for anything a service can send. */
export interface AnswerObserver {
  /** `chunk` belongs to others: it is read, and neither changed nor kept. */
  onChunk(chunk: Buffer): void;
  /** It is here whole. Not called for one that is cut: that the request is over is told elsewhere. */
  onEnd(trailers: HeaderBlock | null): void;
}

/** Who has a reason to see the answer to one request, as a budget that is settled from it. */
export interface AnswerWatcher {
  /** The head is here, of the final answer alone; null where it tells all there is to know. */
  watch(answer: Answer): AnswerObserver | null;
}
