/** Requests that have been used to smuggle another one, from the published catalogues (CL.TE, TE.CL, TE.TE, CL.0, TE.0, 0.CL, TERM.EXT …). */
export interface SmugglingCase {
  readonly name: string;
  readonly wire: string;
  /** Status of the refusal, or "one": exactly this request reaches the service and nothing else. */
  readonly expected: number | "one";
}

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const request = (start: string, lines: readonly string[], body = ""): string =>
  `${start} HTTP/1.1\r\n${["Host: a", ...lines].map((line) => `${line}\r\n`).join("")}\r\n${body}`;
const post = (lines: readonly string[], body: string): string => request("POST /first", lines, body);

/** Ends at the empty chunk by Transfer-Encoding, and behind the smuggled request by Content-Length. */
const CHUNKED_THEN_SMUGGLED = `0\r\n\r\n${SMUGGLED}`;
const LENGTH = `Content-Length: ${CHUNKED_THEN_SMUGGLED.length}`;

/** Every line here has been Transfer-Encoding to one parser and not to another. */
const ENCODING_LINES: readonly string[] = [
  "Transfer-Encoding: chunked",
  "Transfer-Encoding:chunked",
  "transfer-encoding: CHUNKED",
  "Transfer-Encoding: chunked ",
  "Transfer-Encoding:  chunked",
  "Transfer-Encoding:\tchunked",
  "Transfer-Encoding: chunked\t",
  "Transfer-Encoding:\x0bchunked",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: chunked\x0b",
  "Transfer-Encoding: \x0cchunked",
  "Transfer-Encoding: \0chunked",
  "Transfer-Encoding: chunked\0",
  "Transfer-Encoding: \xa0chunked",
  "Transfer-Encoding: \xffchunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\t: chunked",
  " Transfer-Encoding: chunked",
  "\tTransfer-Encoding: chunked",
  "Transfer-Encoding\0: chunked",
  "Transfer\rEncoding: chunked",
  "Transfer Encoding: chunked",
  "Transfer_Encoding: chunked",
  "Transfer.Encoding: chunked",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunkedx",
  "Transfer-Encoding: chunk",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: identity",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, gzip",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding: ,chunked",
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: 'chunked'",
  "Transfer-Encoding: chunked;ext",
  "Transfer-Encoding: chunked;q=1",
  "Transfer-Encoding: cow",
  "Transfer-Encoding:",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding: x\r\n chunked",
  "Transfer-Encoding: chunked\r\n x",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "X: y\r\rTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\nX: y",
  "Transfer-Encoding: chunked\rX: y",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
];

const shown = (line: string): string => JSON.stringify(line).slice(1, -1);

const clTe: SmugglingCase[] = ENCODING_LINES.flatMap((line) => [
  { name: `CL.TE: length before '${shown(line)}'`, wire: post([LENGTH, line], CHUNKED_THEN_SMUGGLED), expected: 400 },
  { name: `TE.CL: '${shown(line)}' before length`, wire: post([line, LENGTH], CHUNKED_THEN_SMUGGLED), expected: 400 },
]);

/** The first three are the right spellings. */
const teTe: SmugglingCase[] = ENCODING_LINES.map((line, at) => ({
  name: `TE.TE: '${shown(line)}' alone`,
  wire: post([line], at < 3 ? "0\r\n\r\n" : CHUNKED_THEN_SMUGGLED),
  expected: at < 3 ? "one" : 400,
}));

const LENGTHS = [
  "+43",
  "-43",
  "043",
  "43, 43",
  "43,44",
  "4 3",
  "0x2b",
  "43.0",
  "4e1",
  "",
  "43;",
  '"43"',
  "43\x0b",
  "\x0b43",
  "43\t",
  "99999999999999999999",
  "4\x003",
];
const cl: SmugglingCase[] = [
  ...LENGTHS.map(
    (length): SmugglingCase => ({
      name: `CL: '${shown(length)}'`,
      wire: post([`Content-Length: ${length}`], SMUGGLED),
      expected: 400,
    }),
  ),
  { name: "CL.CL: two that differ", wire: post(["Content-Length: 0", "Content-Length: 41"], SMUGGLED), expected: 400 },
  { name: "CL.CL: two that are equal", wire: post(["Content-Length: 1", "Content-Length: 1"], "x"), expected: 400 },
  { name: "CL as CGI spells it", wire: post(["Content_Length: 41"], SMUGGLED), expected: 400 },
  { name: "CL with a blank before the colon", wire: post(["Content-Length : 41"], SMUGGLED), expected: 400 },
];

const SMUGGLED_LENGTH = `Content-Length: ${SMUGGLED.length}`;
const chunkedSmuggled = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
/** Of methods without a body; where a route keeps theirs, each is one request. */
export const BODYLESS_CASES: readonly SmugglingCase[] = ["GET", "HEAD", "OPTIONS"].flatMap(
  (method): SmugglingCase[] => [
    {
      name: `CL.0: ${method} with a body`,
      wire: request(`${method} /first`, [SMUGGLED_LENGTH], SMUGGLED),
      expected: 400,
    },
    {
      name: `TE.0: ${method} with a chunked body`,
      wire: request(`${method} /first`, ["Transfer-Encoding: chunked"], chunkedSmuggled),
      expected: 400,
    },
    {
      name: `0.CL: ${method} with Expect and a length`,
      wire: request(`${method} /first`, ["Expect: 100-continue", SMUGGLED_LENGTH], SMUGGLED),
      expected: 400,
    },
  ],
);
const bodies: SmugglingCase[] = [
  ...BODYLESS_CASES,
  { name: "CL.0: POST whose body is a request", wire: post([SMUGGLED_LENGTH], SMUGGLED), expected: "one" },
  {
    name: "TE.0: POST whose body is a request",
    wire: post(["Transfer-Encoding: chunked"], chunkedSmuggled),
    expected: "one",
  },
  {
    name: "CL.0: DELETE whose body is a request",
    wire: request("DELETE /first", [SMUGGLED_LENGTH], SMUGGLED),
    expected: "one",
  },
  {
    name: "0.CL: a length of nothing with Expect",
    wire: request("GET /first", ["Expect: 100-continue", "Content-Length: 0"]),
    expected: "one",
  },
  { name: "Expect in another case", wire: post(["Expect: 100-Continue", SMUGGLED_LENGTH], SMUGGLED), expected: "one" },
  {
    name: "Expect with a blank behind it",
    wire: post(["Expect: 100-continue ", SMUGGLED_LENGTH], SMUGGLED),
    expected: "one",
  },
  {
    name: "Expect with a word before it",
    wire: post(["Expect: y 100-continue", SMUGGLED_LENGTH], SMUGGLED),
    expected: 417,
  },
  { name: "Expect in a list", wire: post(["Expect: 100-continue, x", SMUGGLED_LENGTH], SMUGGLED), expected: 417 },
  {
    name: "Expect twice",
    wire: post(["Expect: 100-continue", "Expect: 100-continue", SMUGGLED_LENGTH], SMUGGLED),
    expected: 400,
  },
  {
    name: "Expect with a length before chunked",
    wire: post(["Expect: 100-continue", LENGTH, "Transfer-Encoding: chunked"], CHUNKED_THEN_SMUGGLED),
    expected: 400,
  },
];

const CHUNKS: Readonly<Record<string, string>> = {
  "size with a plus": "+1\r\nx\r\n0\r\n\r\n",
  "size with a minus": "-1\r\nx\r\n0\r\n\r\n",
  "size with 0x": "0x1\r\nx\r\n0\r\n\r\n",
  "size with a blank before it": " 1\r\nx\r\n0\r\n\r\n",
  "size with a blank behind it": "1 \r\nx\r\n0\r\n\r\n",
  "size with a tab behind it": "1\t\r\nx\r\n0\r\n\r\n",
  "size with an underscore": "0_1\r\nx\r\n0\r\n\r\n",
  "size beyond 64 bits": "10000000000000001\r\nx\r\n0\r\n\r\n",
  "size beyond 48 bits": "1000000000001\r\nx\r\n0\r\n\r\n",
  "no size": "\r\nx\r\n0\r\n\r\n",
  "TERM.EXT: bare LF in an extension": "1;\nx\r\n0\r\n\r\n",
  "TERM.EXT: bare LF in a named extension": "1;a\nx\r\n0\r\n\r\n",
  "EXT.TERM: bare CR in an extension": "1;a\rb\r\nx\r\n0\r\n\r\n",
  "extension without a name": "1;\r\nx\r\n0\r\n\r\n",
  "extension with a NUL": "1;a\0\r\nx\r\n0\r\n\r\n",
  "endless extension": `1;${"a".repeat(300)}\r\nx\r\n0\r\n\r\n`,
  "TERM.SPILL: bare LF behind the data": "1\r\nx\n0\r\n\r\n",
  "SPILL: two bytes that are no line end behind the data": "1\r\nxyz0\r\n\r\n",
  "nothing behind the data": "1\r\nx0\r\n\r\n",
  "bare LF behind the size": "1\nx\r\n0\r\n\r\n",
  "bare CR behind the size": "1\rx\r\n0\r\n\r\n",
  "bare LF at the end": "0\r\n\n",
  "bare CR at the end": "0\r\n\r\r\n",
  "folded trailer": "0\r\nX: y\r\n z\r\n\r\n",
  "trailer that frames": "0\r\nContent-Length: 5\r\n\r\n",
  "trailer that routes": "0\r\nHost: b\r\n\r\n",
  "trailer that names a caller": "0\r\nX-Postern-Principal: root\r\n\r\n",
  "endless trailers": `0\r\n${"X: y\r\n".repeat(1000)}\r\n`,
};
const chunks: SmugglingCase[] = Object.entries(CHUNKS).map(([name, body]) => ({
  name: `chunked: ${name}`,
  wire: post(["Transfer-Encoding: chunked"], `${body}${SMUGGLED}`),
  expected: 400,
}));

const HEADS: Readonly<Record<string, string>> = {
  "bare LF as every line end": "GET /first HTTP/1.1\nHost: a\n\n",
  "bare LF behind the request line": "GET /first HTTP/1.1\nHost: a\r\n\r\n",
  "bare LF behind a header": "GET /first HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
  "bare LF as the empty line": "GET /first HTTP/1.1\r\nHost: a\r\n\n",
  "two CR before LF": "GET /first HTTP/1.1\r\nHost: a\r\r\n\r\n",
  "two CR before the last LF": "GET /first HTTP/1.1\r\nHost: a\r\n\r\r\n",
  "bare CR as a line end": "GET /first HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
  "LF CR": "GET /first HTTP/1.1\r\nHost: a\n\r\n\r",
  "two empty lines first": "\r\n\r\nGET /first HTTP/1.1\r\nHost: a\r\n\r\n",
  "bare CR first": "\rGET /first HTTP/1.1\r\nHost: a\r\n\r\n",
  "bare LF first": "\nGET /first HTTP/1.1\r\nHost: a\r\n\r\n",
  "no Host, but an absolute target, in HTTP/1.0": "GET http://a/first HTTP/1.0\r\n\r\n",
  "blank first": " GET /first HTTP/1.1\r\nHost: a\r\n\r\n",
  "folded Host": "GET /first HTTP/1.1\r\nHost:\r\n a\r\n\r\n",
  "folded first header": "GET /first HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n",
  "NUL in a value": "GET /first HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
  "NUL in a name": "GET /first HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n",
  "empty name": "GET /first HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
  "line without a colon": "GET /first HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
  "no Host": "GET /first HTTP/1.1\r\nX: y\r\n\r\n",
  "empty Host": "GET /first HTTP/1.1\r\nHost:\r\n\r\n",
  "two Hosts": "GET /first HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
  "two equal Hosts": "GET /first HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
  "two names in Host": "GET /first HTTP/1.1\r\nHost: a, b\r\n\r\n",
  "user in Host": "GET /first HTTP/1.1\r\nHost: b@a\r\n\r\n",
  "no version": "GET /first\r\n\r\n",
  "HTTP/0.9": "GET /first HTTP/0.9\r\nHost: a\r\n\r\n",
  "HTTP/1.2": "GET /first HTTP/1.2\r\nHost: a\r\n\r\n",
  "HTTP/2.0": "GET /first HTTP/2.0\r\nHost: a\r\n\r\n",
  "HTTP/2's preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "version in lower case": "GET /first http/1.1\r\nHost: a\r\n\r\n",
  "two blanks in the request line": "GET  /first HTTP/1.1\r\nHost: a\r\n\r\n",
  "tab in the request line": "GET\t/first HTTP/1.1\r\nHost: a\r\n\r\n",
  "blank in the target": "GET /fir st HTTP/1.1\r\nHost: a\r\n\r\n",
  "absolute target of another authority": "GET http://b/first HTTP/1.1\r\nHost: a\r\n\r\n",
  "absolute target with a user": "GET http://b@a/first HTTP/1.1\r\nHost: a\r\n\r\n",
  "absolute target of another port": "GET http://a:81/first HTTP/1.1\r\nHost: a\r\n\r\n",
  "absolute target of another scheme": "GET file:///first HTTP/1.1\r\nHost: a\r\n\r\n",
  asterisk: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
  "asterisk with GET": "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
  "authority form with GET": "GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
  "CONNECT to another authority": "CONNECT b:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
  "chunked in HTTP/1.0": "POST /first HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "principal as CGI spells it": "GET /first HTTP/1.1\r\nHost: a\r\nX_Postern_Principal: root\r\n\r\n",
  "forwarded address as CGI spells it": "GET /first HTTP/1.1\r\nHost: a\r\nX-Forwarded_For: 10.0.0.1\r\n\r\n",
};
const heads: SmugglingCase[] = Object.entries(HEADS).map(([name, wire]) => ({
  name: `head: ${name}`,
  wire: wire + SMUGGLED,
  expected: 400,
}));

const ends: SmugglingCase[] = [
  { name: "behind Connection: close", wire: request("GET /first", ["Connection: close"]) + SMUGGLED, expected: "one" },
  {
    name: "behind Proxy-Connection: close",
    wire: request("GET /first", ["Proxy-Connection: close"]) + SMUGGLED,
    expected: "one",
  },
  {
    name: "behind Upgrade",
    wire: request("GET /first", ["Connection: upgrade", "Upgrade: h2c"]) + SMUGGLED,
    expected: "one",
  },
  { name: "behind HTTP/1.0 without Host", wire: `GET /first HTTP/1.0\r\n\r\n${SMUGGLED}`, expected: "one" },
  { name: "behind HTTP/1.0", wire: `GET /first HTTP/1.0\r\nHost: a\r\n\r\n${SMUGGLED}`, expected: "one" },
  { name: "behind CONNECT", wire: `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${SMUGGLED}`, expected: 405 },
];

export const SMUGGLING_CASES: readonly SmugglingCase[] = [
  ...clTe,
  ...teTe,
  ...cl,
  ...bodies,
  ...chunks,
  ...heads,
  ...ends,
];
