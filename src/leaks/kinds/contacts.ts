import { byteSet, DIGIT, isIn } from "../byte-set.ts";
import type { Detector, LeakKind } from "../kind.ts";
import { MORE } from "../shape.ts";

const LOCAL = byteSet("A-Za-z0-9._%+'-");
const DOMAIN = byteSet("A-Za-z0-9.-");
const LOCAL_BYTES_MAX = 64; // RFC 5321 section 4.5.3.1.1
const DOMAIN_BYTES_MAX = 255;
/** `logo@2x.png` is a file. */
const FILE_ENDS = new Set(["png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "css", "js", "ts", "html"]);

const EMAIL_KIND: LeakKind = {
  name: "email",
  group: "emails",
  about: "E-mail address",
  shape: "name@domain, the last label of two letters or more",
  checksum: "",
  words: [],
  scores: { shape: 60, checksum: 0, word: 0 },
  threshold: 60,
  source: "RFC 5321 section 4.1.2",
};

const EMAIL: Detector = {
  kinds: [EMAIL_KIND],
  anchors: [
    {
      before: null,
      steps: [
        { set: byteSet("@"), isOptional: false },
        { set: byteSet("A-Za-z0-9"), isOptional: false },
      ],
    },
  ],
  bytesBefore: LOCAL_BYTES_MAX,
  find(text, at, judge) {
    const { bytes, length } = text;
    const sign = at - 2;
    let start = sign;
    while (start > text.start && sign - start < LOCAL_BYTES_MAX && isIn(LOCAL, bytes[start - 1])) start--;
    while (start < sign && isIn(NO_FIRST, bytes[start])) start++;
    if (start === sign || !judge.wants(EMAIL_KIND)) return null;
    let end = sign + 1;
    while (end < length && end - sign <= DOMAIN_BYTES_MAX && isIn(DOMAIN, bytes[end])) end++;
    if (end === length && !text.isWhole) return MORE;
    while (isIn(NO_FIRST, bytes[end - 1])) end--;
    const last = /\.([A-Za-z]{2,24})$/.exec(text.slice(sign + 1, end))?.[1]?.toLowerCase();
    if (last === undefined || FILE_ENDS.has(last) || !judge.isReported(EMAIL_KIND, start, false)) return null;
    return { kind: EMAIL_KIND, from: start, start, end, tail: null };
  },
};

/** Not at either end of a name or a domain. */
const NO_FIRST = byteSet(".'%+-");

/** Calling codes of one and two digits; all others have three: ITU-T E.164, assigned country codes. */
const CODES =
  /^(?:1[2-9]|7[3489]|2[07]|2[1-69]\d|3[0-469]|3[578]\d|4[013-9]|42[013]|5[1-8]|5[09]\d|6[0-6]|6[789]\d|8[1246]|8[05789]\d|9[0-58]|9[679]\d)/;
const PHONE_PART = byteSet("0-9 ()./-");
const PHONE_BYTES_MAX = 28;

const PHONE_KIND: LeakKind = {
  name: "phone",
  group: "phones",
  about: "Phone number in international form",
  shape:
    "+, calling code, 8 to 15 digits in all, with spaces, dashes, dots or brackets between; 70 where it has none of these",
  checksum: "a calling code that is assigned",
  words: ["phone", "tel", "telephone", "mobile", "cell", "fax", "contact", "msisdn", "whatsapp", "call"],
  scores: { shape: 40, checksum: 0, word: 30 },
  threshold: 70,
  source: "ITU-T E.164",
};

const PLAIN_SCORE = 70;
const phoneStep = (set: typeof DIGIT) => ({ set, isOptional: false });

const PHONE: Detector = {
  kinds: [PHONE_KIND],
  anchors: [
    {
      before: byteSet(" \\t\\n\\r\"'(>:=,;[/|"),
      steps: [byteSet("+"), byteSet("1-9"), ...Array.from({ length: 5 }, () => PHONE_PART)].map(phoneStep),
    },
  ],
  bytesBefore: 0,
  find(text, at, judge) {
    const { bytes, length } = text;
    const start = at - 7;
    let end = at;
    while (end < length && end - start < PHONE_BYTES_MAX && isIn(PHONE_PART, bytes[end])) end++;
    if (end === length && !text.isWhole) return MORE;
    if (end - start >= PHONE_BYTES_MAX) return null;
    while (!isIn(DIGIT, bytes[end - 1])) end--;
    if (isLetter(bytes[end])) return null;
    const written = text.slice(start + 1, end);
    const digits = written.replace(/\D/g, "");
    if (digits.length < 8 || digits.length > 15 || !CODES.test(digits) || /[ ()./-]{3}/.test(written)) return null;
    const isPlain = written === digits && digits.length >= 10;
    if (!judge.isReported(PHONE_KIND, start, false, isPlain ? PLAIN_SCORE : PHONE_KIND.scores.shape)) return null;
    return { kind: PHONE_KIND, from: start, start, end, tail: null };
  },
};

const LETTERS = byteSet("A-Za-z_");
const isLetter = (byte: number | undefined): boolean => isIn(LETTERS, byte);

/** How people are reached. */
export const CONTACTS: readonly Detector[] = [EMAIL, PHONE];
