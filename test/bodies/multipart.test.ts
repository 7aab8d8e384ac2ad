import { describe, expect, test } from "vitest";
import { MultipartReader, type PartHandler } from "../../src/bodies/multipart.ts";
import { readPartHead } from "../../src/bodies/part-head.ts";
import { BOUNDARY, cutAt, field, file, multipart, type Part, readStrictly } from "../fixtures/multipart.ts";

const GOOD = multipart(field("title", "a day out"), file("photo", "day.png", "image/png", "\x00\r\n--\r\n-----b"));
const PARTS: readonly Part[] = [
  { name: "title", fileName: null, content: "a day out" },
  { name: "photo", fileName: "day.png", content: "\x00\r\n--\r\n-----b" },
];
const text = GOOD.toString("latin1");
const changed = (from: string, to: string): Buffer => {
  expect(text).toContain(from);
  return Buffer.from(text.replace(from, to), "latin1");
};
const DASHED = `--${BOUNDARY}`;

test("parts are the same wherever the body is cut, and what stays is short", () => {
  for (let at = 1; at < GOOD.length; at++) {
    expect(readStrictly([GOOD.subarray(0, at), GOOD.subarray(at)])).toEqual(PARTS);
  }
  const bytes = [...GOOD].map((byte) => Buffer.from([byte]));
  expect(readStrictly(bytes)).toEqual(PARTS);
});

test("a large file goes on as it comes", () => {
  const body = multipart(file("photo", "a", "x/y", Buffer.alloc(3 * 1024 * 1024, "\r\n-")));
  const staying: number[] = [];
  const pieces = cutAt(
    body,
    Array.from({ length: 100 }, (_, at) => at * 30_011),
  );
  expect(readStrictly(pieces, BOUNDARY, (bytes) => staying.push(bytes))).toHaveLength(1);
  expect(Math.max(...staying)).toBeLessThan(200);
});

describe("what parsers read in two ways is refused", () => {
  test.each<[string, Buffer]>([
    ["something before the first boundary", Buffer.concat([Buffer.from("preamble\r\n"), GOOD])],
    ["something before the first boundary", Buffer.concat([Buffer.from("\r\n\r\n"), GOOD])],
    ["something behind the last boundary", Buffer.concat([GOOD, Buffer.from("epilogue")])],
    ["something behind the last boundary", Buffer.concat([GOOD, GOOD])],
    ["no boundary that ends it", GOOD.subarray(0, GOOD.length - 4)],
    ["no boundary that ends it", GOOD.subarray(0, 60)],
    ["no boundary that ends it", Buffer.from("")],
    ["something before the first boundary", Buffer.from(text.replaceAll("\r\n", "\n").slice(2))],
    ["a boundary that something follows on its line", Buffer.from(text.replaceAll("\r\n", "\n"))],
    ["a boundary that something follows on its line", changed(`${DASHED}\r\n`, `${DASHED} \r\n`)],
    ["a boundary that something follows on its line", changed(`out\r\n${DASHED}\r\n`, `out\r\n${DASHED}X\r\n`)],
    ["a boundary that something follows on its line", changed(`out\r\n${DASHED}\r\n`, `out\r\n${DASHED}-\r\n`)],
    ["a boundary that does not begin a line", changed(`out\r\n${DASHED}`, `out\n${DASHED}`)],
    ["a boundary that does not begin a line", changed(`out\r\n${DASHED}`, `out\r${DASHED}`)],
    ["a boundary that does not begin a line", changed(`out\r\n${DASHED}`, `out${DASHED}\r\n\r\n${DASHED}`)],
    ["a boundary that does not begin a line", changed("\r\n\r\na day out\r\n", "\r\n\r\n")],
    ["a boundary in the headers of a part", changed(`\r\nContent-Type`, `\r\n${DASHED}: x\r\nContent-Type`)],
    ["a line in the headers of a part that is no header", changed("; filename", ";\r\n filename")],
    ["a line in the headers of a part that is no header", changed("Content-Type:", "Content-Type :")],
    ["a part without headers", changed(`${DASHED}\r\nContent`, `${DASHED}\r\n\r\nContent`)],
    ["a control character in the headers of a part", changed("day.png", "day.png\0")],
    ["a control character in the headers of a part", changed('name="title"', 'name="title"\nX: y')],
    ["a control character in the headers of a part", changed('name="title"', 'name="title"\rX: y')],
    ["headers of a part that are no UTF-8", changed("day.png", "d\xe4y.png")],
    [
      "two headers content-disposition in a part",
      changed("Content-Type: image/png", 'Content-Disposition: form-data; name="b"'),
    ],
    ["header content-type of a part in another spelling", changed("Content-Type", "Content_Type")],
    [
      "a part without 'Content-Disposition: form-data'",
      changed("Content-Disposition: form-data", "Content-ID: title\r\nX: y"),
    ],
    ["a part without 'Content-Disposition: form-data'", changed("form-data", "attachment")],
    ["a part without a name", changed('; name="title"', "")],
    ["a part without a name", changed('name="title"', 'name=""')],
    ["a Content-Disposition of a part that services read differently", changed('name="title"', "name='title'")],
    ["a Content-Disposition of a part that services read differently", changed('name="title"', 'name="title')],
    ["a Content-Disposition of a part that services read differently", changed('name="title"', 'name="ti"tle"')],
    ["two parameters name in a Content-Disposition", changed('name="title"', 'name="title"; name="role"')],
    ["two parameters name in a Content-Disposition", changed('name="title"', 'name="title"; NAME="role"')],
    ["parameter name* in a Content-Disposition", changed('name="title"', `name="title"; name*=utf-8''role`)],
    ["a file without a name that has a type", changed('"day.png"', '""')],
    ["a backslash in a Content-Disposition", changed('"day.png"', '"day\\"')],
    ["parameter x* in a Content-Disposition", changed('name="title"', 'name="title"; x*="y"')],
    ["parameter filename*0 in a Content-Disposition", changed('filename="day.png"', 'filename*0="day.png"')],
    ["a backslash in a Content-Disposition", changed('name="title"', 'name="ti\\tle"')],
    ["'filename*' without 'filename'", changed('filename="day.png"', `filename*=utf-8''day.php`)],
    ["a 'filename*' that is another than 'filename'", changed('"day.png"', `"day.png"; filename*=utf-8''day.php`)],
    ["a 'filename*' that is no UTF-8", changed('"day.png"', `"day.png"; filename*=utf-8''%ff`)],
    ["a 'filename*' that is no UTF-8", changed('"day.png"', `"day.png"; filename*=utf-7''day.png`)],
    ["a file name in an encoding of mail", changed('"day.png"', '"=?utf-8?B?ZGF5LnBocA==?="')],
    [
      "Content-Transfer-Encoding base64 of a part",
      changed("image/png", "image/png\r\nContent-Transfer-Encoding: base64"),
    ],
    ["a part of type multipart/mixed", changed("image/png", "multipart/mixed; boundary=x")],
    [
      "a field of type application/octet-stream without a file name",
      changed('; filename="day.png"\r\nContent-Type: image/png', "\r\nContent-Type: application/octet-stream"),
    ],
    ["a part in charset utf-7", changed('name="title"', 'name="title"\r\nContent-Type: text/plain; charset=utf-7')],
    [
      "a part that is not the ASCII of its charset",
      changed('name="title"\r\n\r\n', 'name="title"\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\u00e9'),
    ],
    [
      "a part that is not the ASCII of its charset",
      changed('name="title"\r\n\r\n', 'name="title"\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\u00e9'),
    ],
    ["headers of a part with more than 8192 bytes", changed('name="title"', `name="${"a".repeat(9000)}"`)],
  ])("%s", (fault, body) => {
    expect(readStrictly([body])).toBe(fault);
    expect(readStrictly([...body].map((byte) => Buffer.from([byte])))).toBe(fault);
  });
});

describe("what honest clients send is read", () => {
  test.each<[string, Buffer, readonly Part[]]>([
    ["no line end behind the last boundary", GOOD.subarray(0, GOOD.length - 2), PARTS],
    ["a line end before the first", Buffer.concat([Buffer.from("\r\n"), GOOD]), PARTS],
    ["an empty form", Buffer.from(`${DASHED}--\r\n`), []],
    [".NET: names without quotes", changed('name="title"', "name=title"), PARTS],
    [".NET: filename* beside filename", changed('"day.png"', `day.png; filename*=utf-8''day.png`), PARTS],
    ["OkHttp: lengths", changed("image/png", "image/png\r\nContent-Length: 14"), PARTS],
    [
      "Apache HttpClient: a charset that is another beyond ASCII alone",
      changed('name="title"', 'name="title"\r\nContent-Type: text/plain; charset=ISO-8859-1'),
      PARTS,
    ],
    ["encodings that are none", changed("image/png", "image/png\r\nContent-Transfer-Encoding: binary"), PARTS],
    [
      "letters in UTF-8",
      Buffer.from(text.replace("day.png", "Größe 日本.png")),
      [PARTS[0] as Part, { ...(PARTS[1] as Part), fileName: "Größe 日本.png" }],
    ],
    [
      ".NET: other letters",
      changed('"day.png"', `"=?utf-8?B?w6QucG5n?="; filename*=utf-8''%C3%A4.png`),
      [PARTS[0] as Part, { ...(PARTS[1] as Part), fileName: "ä.png" }],
    ],
    [
      "browsers: quotes as %22",
      changed('name="title"', 'name="%22title%22"'),
      [{ ...(PARTS[0] as Part), name: "%22title%22" }, PARTS[1] as Part],
    ],
  ])("%s", (_, body, parts) => {
    expect(readStrictly([body])).toEqual(parts);
  });

  test("fetch's FormData", async () => {
    const form = new FormData();
    form.set("title", "Größe\nof it");
    form.set("photo", new File(["\x89PNG"], 'a "day".png', { type: "image/png" }));
    const request = new Request("http://localhost/", { method: "POST", body: form });
    const boundary = /boundary=(.*)$/.exec(request.headers.get("content-type") ?? "")?.[1] ?? "";
    expect(readStrictly([Buffer.from(await request.arrayBuffer())], boundary)).toMatchObject([
      { name: "title" },
      { name: "photo", fileName: "a %22day%22.png" },
    ]);
  });
});

test("what interrupts the reading at each part has nothing copied", () => {
  const body = multipart(...Array.from({ length: 50 }, () => field("a", "b")));
  const contents: Buffer[] = [];
  const handler: PartHandler<string> = {
    flows: false,
    onPart: () => null,
    onContent: (bytes) => {
      contents.push(bytes);
      return null;
    },
    onPartEnd: () => "a pause",
    malformed: (seen) => seen,
  };
  const reader = new MultipartReader(BOUNDARY, handler, readPartHead);
  const stops = [reader.take(body)];
  for (let stop = stops[0] ?? null; stop !== null; stop = reader.take(Buffer.alloc(0))) stops.push(stop);
  expect(new Set(stops)).toEqual(new Set(["a pause"]));
  expect(reader.end()).toBeNull();
  expect(contents).toHaveLength(50);
  expect(contents.every(({ buffer }) => buffer === body.buffer)).toBe(true);
});
