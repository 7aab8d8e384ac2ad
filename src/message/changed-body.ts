import { type BodySink, CHUNKED, type RequestBody } from "./body.ts";

/** A body in place of another one whose bytes it changes on their way: what else there is to ask about it, that one knows. */
export abstract class ChangedBody implements RequestBody {
  readonly announcedBytes = CHUNKED;
  protected readonly inner: RequestBody;

  constructor(inner: RequestBody) {
    this.inner = inner;
  }

  get bytes(): number {
    return this.inner.bytes;
  }

  get isStray(): boolean {
    return this.inner.isStray;
  }

  get isKept(): boolean {
    return this.inner.isKept;
  }

  accept(): void {
    this.inner.accept();
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  setPatience(idleTimeoutMs: number, answered: boolean): void {
    this.inner.setPatience(idleTimeoutMs, answered);
  }

  abstract start(sink: BodySink, bytesMax: number): void;
}
