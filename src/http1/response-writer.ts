import { CHUNKED } from "../message/body.ts";
import { type HeaderBlock, NO_HEADERS } from "../message/headers.ts";
import { acceptsTrailers } from "../message/trailers.ts";
import { addChunk, addLastChunk, type Output, statusLine } from "./output.ts";

/** Frames the responses of one connection for what its client understands (RFC 9112 sections 6 and 7). */
export class ResponseWriter {
  /** Body bytes of the current response, written so far. */
  bodyBytes = 0;
  readonly #output: Output;
  #minor: 0 | 1 = 1;
  #headers: HeaderBlock = NO_HEADERS;
  #chunked = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** A request was read; what follows answers it. */
  begin(minor: 0 | 1, headers: HeaderBlock): void {
    this.#minor = minor;
    this.#headers = headers;
    this.#chunked = false;
    this.bodyBytes = 0;
  }

  /** HTTP/1.0 clients know no informational responses. */
  addInformational(status: number, lines: string): void {
    if (this.#minor === 1) this.#output.add(`${statusLine(status)}${lines}\r\n`);
  }

  /** The connection speaks WebSocket from here on. */
  addSwitch(lines: string): void {
    this.#output.add(`${statusLine(101)}${lines}connection: upgrade\r\nupgrade: websocket\r\n\r\n`);
  }

  /** Gives whether the connection closes behind the response: `close`, or because nothing else could end it. */
  addHead(status: number, lines: string, bodyBytes: number, close: boolean): boolean {
    let text = statusLine(status) + lines;
    if (bodyBytes >= 0) text += `content-length: ${bodyBytes}\r\n`;
    this.#chunked = bodyBytes === CHUNKED && this.#minor === 1;
    if (this.#chunked) text += "transfer-encoding: chunked\r\n";
    // An HTTP/1.0 client knows no chunks: for it the body ends with the connection.
    const closes = close || (bodyBytes === CHUNKED && this.#minor === 0);
    if (closes) text += "connection: close\r\n\r\n";
    else text += this.#minor === 0 ? "connection: keep-alive\r\n\r\n" : "\r\n";
    this.#output.add(text);
    return closes;
  }

  addBody(chunk: Buffer): void {
    this.bodyBytes += chunk.length;
    if (this.#chunked) addChunk(this.#output, chunk);
    else this.#output.add(chunk);
  }

  /** Whether trailers of the response that has begun reach the client. */
  get carriesTrailers(): boolean {
    return this.#chunked && acceptsTrailers(this.#headers);
  }

  addEnd(trailers: string): void {
    if (this.#chunked) addLastChunk(this.#output, trailers !== "" && this.carriesTrailers ? trailers : "");
    this.#chunked = false;
    // They keep the request's whole head, and the connection may rest for long.
    this.#headers = NO_HEADERS;
  }
}
