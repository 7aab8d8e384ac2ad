import { isUtf8 } from "node:buffer";

/** So much of a file's beginning is looked at. */
export const FILE_START_BYTES = 1024;

/** Types that one look at a file's first bytes tells from others. */
interface Kind {
  readonly types: readonly string[];
  matches(start: Buffer): boolean;
}

const at =
  (offset: number, ...texts: string[]) =>
  (start: Buffer): boolean =>
    texts.some((text) => start.toString("latin1", offset, offset + text.length) === text);

/** ISO base media (ISO/IEC 14496-12 section 4.3): a box `ftyp` with its brand. */
const brand =
  (...brands: RegExp[]) =>
  (start: Buffer): boolean =>
    at(4, "ftyp")(start) && brands.some((one) => one.test(start.toString("latin1", 8, 12)));

/** The name of a zip's first entry (APPNOTE section 4.3.7). */
const zipEntry =
  (name: RegExp) =>
  (start: Buffer): boolean =>
    isZip(start) && name.test(start.toString("latin1", 30, 30 + (start.length < 30 ? 0 : start.readUInt16LE(26))));

const isZip = at(0, "PK\x03\x04", "PK\x05\x06");
const OFFICE = /^(?:\[Content_Types\]\.xml$|_rels\/|docProps\/|word\/|xl\/|ppt\/|mimetype$)/;
const OOXML = "application/vnd.openxmlformats-officedocument.";
const ODF = "application/vnd.oasis.opendocument.";

const KINDS: readonly Kind[] = [
  { types: ["image/png", "image/apng"], matches: at(0, "\x89PNG\r\n\x1a\n") },
  { types: ["image/jpeg", "image/jpg", "image/pjpeg"], matches: at(0, "\xff\xd8\xff") },
  { types: ["image/gif"], matches: at(0, "GIF87a", "GIF89a") },
  { types: ["image/webp"], matches: (start) => at(0, "RIFF")(start) && at(8, "WEBP")(start) },
  { types: ["image/bmp", "image/x-ms-bmp"], matches: at(0, "BM") },
  { types: ["image/tiff"], matches: at(0, "II*\0", "MM\0*") },
  { types: ["image/x-icon", "image/vnd.microsoft.icon"], matches: at(0, "\0\0\x01\0") },
  { types: ["image/avif"], matches: brand(/^avi[fs]$/, /^mif1$/) },
  { types: ["image/heic", "image/heif"], matches: brand(/^he[ivm][cxsm]$/, /^mif1$/, /^msf1$/) },
  { types: ["application/pdf", "application/x-pdf"], matches: at(0, "%PDF-") },
  {
    types: ["application/zip", "application/x-zip-compressed", "application/java-archive", "application/epub+zip"],
    matches: isZip,
  },
  ...["wordprocessingml.document", "spreadsheetml.sheet", "presentationml.presentation"].map((name) => ({
    types: [OOXML + name],
    matches: zipEntry(OFFICE),
  })),
  ...["text", "spreadsheet", "presentation"].map((name) => ({ types: [ODF + name], matches: zipEntry(OFFICE) })),
  {
    types: ["application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"],
    matches: at(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
  },
  { types: ["application/gzip", "application/x-gzip"], matches: at(0, "\x1f\x8b\x08") },
  { types: ["application/zstd"], matches: at(0, "\x28\xb5\x2f\xfd") },
  { types: ["application/x-7z-compressed"], matches: at(0, "7z\xbc\xaf\x27\x1c") },
  { types: ["application/vnd.rar", "application/x-rar-compressed"], matches: at(0, "Rar!\x1a\x07") },
  { types: ["application/x-tar"], matches: at(257, "ustar") },
  {
    types: ["video/mp4", "audio/mp4", "audio/x-m4a", "video/x-m4v"],
    matches: brand(/^(?:iso[\dm]|mp4[12v]|M4[AVBP] |avc1|dash|f4v |msdh|MSNV)$/),
  },
  { types: ["video/quicktime"], matches: brand(/^qt {2}$/) },
  { types: ["video/3gpp", "audio/3gpp"], matches: brand(/^3g/) },
  { types: ["video/webm", "audio/webm", "video/x-matroska"], matches: at(0, "\x1a\x45\xdf\xa3") },
  { types: ["audio/ogg", "video/ogg", "application/ogg"], matches: at(0, "OggS") },
  { types: ["audio/mpeg", "audio/mp3"], matches: at(0, "ID3", "\xff\xfb", "\xff\xf3", "\xff\xf2", "\xff\xfa") },
  { types: ["audio/wav", "audio/x-wav"], matches: (start) => at(0, "RIFF")(start) && at(8, "WAVE")(start) },
  { types: ["audio/flac"], matches: at(0, "fLaC") },
  { types: ["font/woff"], matches: at(0, "wOFF") },
  { types: ["font/woff2"], matches: at(0, "wOF2") },
  { types: ["application/wasm"], matches: at(0, "\0asm") },
];

const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  KINDS.flatMap((kind) => kind.types.map((type) => [type, kind] as const)),
);

/** Kinds that may begin without a control character. */
const isPlainBinary = at(0, "%PDF-", "GIF87a", "GIF89a");
const isProgram = at(0, "MZ", "\x7fELF", "#!", "\xca\xfe\xba\xbe", "\xcf\xfa\xed\xfe");

/** Blanks, a byte order mark, declarations, comments and a document type before the first tag of XML. */
const XML_PROLOGUE = /^\ufeff?(?:\s+|<\?[^>]*\?>|<!--[\s\S]*?-->|<!DOCTYPE[^>[]*(?:\[[^\]]*\])?\s*>)*/i;
/** What browsers take for HTML whatever its type says (WHATWG MIME Sniffing section 7.1), and what runs in them or in PHP. */
const MARKUP =
  /^\ufeff?\s*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|svg|!--|\?xml|\?php|\?=)(?=[\s>/]|$|--)/i;
const CONTROL = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/;

/**
 * What is wrong with a file of `type` that begins with `start`, its first FILE_START_BYTES or all of it; null where it
 * may be what it says. A file can be of two kinds at once further in: this is a look at its beginning.
 */
export function fileContentFault(type: string, start: Buffer): string | null {
  const kind = KIND_OF.get(type);
  if (kind !== undefined) return kind.matches(start) ? null : `content that is no ${type}`;
  if (isText(type)) return textFault(type, start);
  if (type === "application/octet-stream") return null;
  const text = start.toString("utf8");
  return isProgram(start) || MARKUP.test(text) ? `content that is no ${type}, but a program or markup` : null;
}

function isText(type: string): boolean {
  return /^text\/|[/+](?:json|xml|yaml)$|^application\/(?:x-ndjson|javascript|sql|x-yaml|toml)$/.test(type);
}

function textFault(type: string, start: Buffer): string | null {
  const text = start.toString("utf8");
  if (isPlainBinary(start) || CONTROL.test(text)) return `content that is no text, as ${type} is`;
  if (/^(?:text|application)\/html$|\/xhtml\+xml$/.test(type)) return null;
  if (type === "image/svg+xml") return isXml(text, /^<(?:[\w-]+:)?svg[\s>/]/) ? null : "content that is no SVG";
  if (/[/+]xml$/.test(type)) return isXml(text, /^<[\p{L}_]/u) ? null : "content that is no XML";
  if (/[/+]json$/.test(type))
    return /^\s*[[{"\-\dtfn]/.test(text) && isUtf8Start(start) ? null : "content that is no JSON";
  return type !== "text/markdown" && MARKUP.test(text) ? `markup, not ${type}` : null;
}

function isXml(text: string, root: RegExp): boolean {
  const prologue = XML_PROLOGUE.exec(text)?.[0].length ?? 0;
  return root.test(text.slice(prologue));
}

/** The end may be cut in the middle of a letter. */
function isUtf8Start(start: Buffer): boolean {
  return [0, 1, 2, 3].some((cut) => isUtf8(start.subarray(0, start.length - Math.min(cut, start.length))));
}
