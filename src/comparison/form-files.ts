import { parseSizeBytes } from "../support/units.ts";
import { type Settings, settingsOf, textsOf } from "./settings.ts";

/** A field of a form, or a file where it has a name. */
interface Part {
  readonly name: string;
  readonly fileName: string | null;
  readonly type: string | null;
  readonly content: string;
}

export const MULTIPART_TYPE = "multipart/form-data; boundary=b";

/** Longest file or field that is made, and most of them. */
const BYTES_MAX = 64 * 1024;
const PARTS_MAX = 32;

/** How files of a type begin, as far as a form looks at that. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  "image/png": "\x89PNG\r\n\x1a\n",
  "image/jpeg": "\xff\xd8\xff\xe0",
  "image/gif": "GIF89a",
  "application/pdf": "%PDF-1.7\n",
  "application/zip": "PK\x03\x04",
};
const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "application/pdf": "pdf",
  "application/zip": "zip",
};
const TYPES = [...Object.keys(BEGINNINGS), "text/plain", "text/html"];

/** Multipart forms around what `validate.form` says of files, and of fields beside them; the first is one that it takes. */
export function formsWithFiles(rules: Settings, fields: readonly (readonly [string, string])[]): readonly Buffer[] {
  const files = Object.entries(settingsOf(rules["files"])).map(([name, value]) => fileOf(name, settingsOf(value)));
  const texts = fields.map(([name, content]): Part => ({ name, fileName: null, type: null, content }));
  const needed = files.filter(({ isRequired }) => isRequired).map(({ usual }) => usual);
  const usual = [...texts, ...needed];
  const others = files.flatMap(({ name, usual: good, parts }) => {
    const rest = usual.filter((part) => part.name !== name);
    return [[...rest, good], ...parts.map((more) => [...rest, ...more])];
  });
  const less = usual.map((_, at) => usual.toSpliced(at, 1));
  const undeclared: Part = { name: "zz9", fileName: "a.txt", type: "text/plain", content: "a" };
  const long = boundsOf(rules["maxFieldBytes"]).flatMap((length) =>
    texts.map((text, at) => usual.toSpliced(at, 1, { ...text, content: text.content.padEnd(length, "1") })),
  );
  return [usual, ...others, ...less, [...usual, undeclared], ...long].map(multipart);
}

interface File {
  readonly name: string;
  readonly isRequired: boolean;
  /** One that is taken. */
  readonly usual: Part;
  /** What else to try in its place. */
  readonly parts: readonly (readonly Part[])[];
}

function fileOf(name: string, rules: Settings): File {
  const types = textsOf(rules["types"]);
  const extensions = textsOf(rules["extensions"]);
  const [first] = types;
  const type = first === undefined ? "text/plain" : (TYPES.find((one) => isIn(one, first)) ?? first.replace("*", "x"));
  const begun = (of: string, extension: string): Part => {
    return { name, fileName: `a.${extension}`, type: of, content: BEGINNINGS[of] ?? "a" };
  };
  const extension = extensions[0] ?? EXTENSIONS[type] ?? "txt";
  const usual = begun(type, extension);
  const named = types.map((one) => TYPES.find((of) => isIn(of, one)) ?? one.replace("*", "x"));
  const ofTypes = [...new Set([...named, ...TYPES])].map((one) =>
    begun(one, extensions[0] ?? EXTENSIONS[one] ?? "txt"),
  );
  const ofNames = [...extensions, "exe", "svg", "php"].map((one) => begun(type, one));
  const sizes = boundsOf(rules["maxBytes"]).map((length) => ({ ...usual, content: usual.content.padEnd(length, "a") }));
  const another = { ...usual, content: "<html>" };
  const counts = typeof rules["maxCount"] === "number" ? [rules["maxCount"], rules["maxCount"] + 1] : [2];
  const many = counts.filter((count) => count <= PARTS_MAX).map((count) => Array.from({ length: count }, () => usual));
  const nameless: Part = { ...usual, fileName: null };
  return {
    name,
    isRequired: rules["required"] === true,
    usual,
    parts: [...ofTypes, ...ofNames, ...sizes, another, nameless].map((one): readonly Part[] => [one]).concat(many),
  };
}

function isIn(type: string, range: string): boolean {
  return type === range || (range.endsWith("/*") && type.startsWith(range.slice(0, -1)));
}

/** A size, and one byte more; none where it is too long to make. */
function boundsOf(value: unknown): readonly number[] {
  if (value === undefined) return [];
  const bytes = typeof value === "number" ? value : sizeOf(String(value));
  return bytes === null || bytes > BYTES_MAX ? [] : [bytes, bytes + 1];
}

function sizeOf(text: string): number | null {
  const bytes = parseSizeBytes(text);
  return bytes.ok ? bytes.value : null;
}

function multipart(parts: readonly Part[]): Buffer {
  const texts = parts.map(({ name, fileName, type, content }) => {
    const file = fileName === null ? "" : `; filename="${fileName}"`;
    const line = type === null ? "" : `Content-Type: ${type}\r\n`;
    return `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${line}\r\n${content}\r\n`;
  });
  return Buffer.from(`${texts.join("")}--b--\r\n`, "latin1");
}
