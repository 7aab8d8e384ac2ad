import { TYPE } from "../fixtures/h2-frames.ts";

/** What a server made of one stream. */
export interface StreamReading {
  /** Method, authority and path; of a tunnel (RFC 8441) its protocol as well. */
  readonly start: string;
  /** `name: value` in order, without pseudo-header fields and Host; cookies in one. */
  readonly headers: readonly string[];
  body: string;
  trailers: readonly string[];
  /** `whole`: read to its end; `open`: waits for more; otherwise why it is refused. */
  state: string;
  /** Given up, by the client or with the connection. */
  left: boolean;
  /** What follows is no body. */
  readonly isTunnel: boolean;
}

/** What a server made of a client's bytes on one connection. */
export interface H2Reading {
  readonly streams: ReadonlyMap<number, StreamReading>;
  /** Why the connection cannot go on; null where it can. */
  readonly end: string | null;
  /** What was said of other things than requests, as text to compare. */
  readonly said: readonly string[];
}

/** Names and values in turn → lines; crumbs of cookies together, where the first of them was (RFC 9113 section 8.2.3). */
export function fieldLines(names: readonly string[], values: readonly string[]): string[] {
  const lines: string[] = [];
  let cookieAt = -1;
  for (const [at, name] of names.entries()) {
    if (name === "host" || name.startsWith(":")) continue;
    if (name === "cookie" && cookieAt >= 0) {
      lines[cookieAt] += `; ${values[at]}`;
      continue;
    }
    if (name === "cookie") cookieAt = lines.length;
    lines.push(`${name}: ${values[at]}`);
  }
  return lines;
}

/** What a server said (latin1) of streams that it reset, of the connection's end, and to PING and SETTINGS. */
export function readOutput(written: string): { readonly end: string | null; readonly said: string[] } {
  const said: string[] = [];
  let end: string | null = null;
  // A server's first bytes are a frame.
  for (const one of cutFrames(written, 0)) {
    const bytes = Buffer.from(one, "latin1");
    const type = bytes[3];
    const stream = bytes.readUInt32BE(5);
    if (type === TYPE.rstStream) said.push(`reset ${stream} with ${bytes.readUInt32BE(9)}`);
    if (type === TYPE.goaway) {
      end = `goaway ${bytes.readUInt32BE(13)} after ${bytes.readUInt32BE(9)}: ${one.slice(FRAME_HEAD_BYTES + 8)}`;
    }
    if (type === TYPE.ping || (type === TYPE.settings && bytes[4] === 1)) said.push(one);
  }
  return { end, said };
}

export const FRAME_HEAD_BYTES = 9;
const PREFACE_BYTES = 24;

/** Bytes → the preface and the frames that they say they are; what is left at the end comes last. */
export function cutFrames(bytes: string, prefaceBytes = PREFACE_BYTES): string[] {
  const frames = prefaceBytes === 0 ? [] : [bytes.slice(0, prefaceBytes)];
  for (let at = prefaceBytes; at < bytes.length; ) {
    const code = (offset: number): number => bytes.charCodeAt(at + offset);
    const length = bytes.length - at < 3 ? 0 : (code(0) << 16) | (code(1) << 8) | code(2);
    frames.push(bytes.slice(at, at + FRAME_HEAD_BYTES + length));
    at += FRAME_HEAD_BYTES + length;
  }
  return frames;
}
