import { CONNECTION_SPECIFIC } from "./fields.ts";

/**
 * Header lines (`name: value` with CR LF each) → names and values in turn, as node:http2 takes them, `:status` first.
 * What belongs to a connection stays behind: HTTP/2 clients refuse a whole answer for it.
 */
export function responseFields(status: number, lines: string, contentLength: number): string[] {
  const fields = [":status", String(status)];
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(":", at);
    const end = lines.indexOf("\r\n", colon);
    if (colon < 0 || end < 0) break;
    const name = lines.slice(at, colon);
    at = end + 2;
    if (CONNECTION_SPECIFIC.has(name)) continue;
    fields.push(name, lines.slice(colon + 2, end));
  }
  if (contentLength >= 0) fields.push("content-length", String(contentLength));
  return fields;
}

/** `responseFields`, remembered: answers of one kind differ in nothing for as long as their Date does not. */
export class ResponseFields {
  #status = 0;
  #lines = "";
  #contentLength = -1;
  #fields: readonly string[] = [];

  of(status: number, lines: string, contentLength: number): readonly string[] {
    if (status !== this.#status || contentLength !== this.#contentLength || lines !== this.#lines) {
      this.#status = status;
      this.#lines = lines;
      this.#contentLength = contentLength;
      this.#fields = responseFields(status, lines, contentLength);
    }
    return this.#fields;
  }
}

/** The same as an object, which is what informational responses ask for. */
export function informationalFields(status: number, lines: string): Record<string, string | string[]> {
  const flat = responseFields(status, lines, -1);
  const fields: Record<string, string | string[]> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = flat[at] ?? "";
    const value = flat[at + 1] ?? "";
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}
