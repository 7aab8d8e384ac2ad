import { byteSet, DIGIT, isIn, NO_WORD } from "../byte-set.ts";
import { isMod97 } from "../checksums.ts";
import type { Detector, LeakKind } from "../kind.ts";
import { isWordOver, MORE } from "../shape.ts";
import type { LeakText } from "../text.ts";

/** Length by country: SWIFT, IBAN Registry. */
const COUNTRIES =
  "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 " +
  "FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 " +
  "LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 " +
  "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";
const LENGTHS: ReadonlyMap<string, number> = new Map(
  COUNTRIES.split(" ").map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

const LETTER = byteSet("A-Z");
const PART = byteSet("A-Z0-9");
const SPACE = byteSet(" ");

const KIND: LeakKind = {
  name: "iban",
  group: "iban",
  about: "International bank account number",
  shape: "country, two digits, letters and digits to the country's length, spaces after each four or none",
  checksum: "ISO/IEC 7064, MOD 97-10",
  words: [],
  scores: { shape: 30, checksum: 50, word: 0 },
  threshold: 80,
  source: "ISO 13616-1; SWIFT, IBAN Registry",
};

const one = (set: typeof DIGIT, isOptional = false) => ({ set, isOptional });
const START_BYTES = 4;

export const IBAN: Detector = {
  kinds: [KIND],
  anchors: [
    {
      before: NO_WORD,
      steps: [LETTER, LETTER, DIGIT, DIGIT].map((set) => one(set)).concat(one(SPACE, true), one(PART), one(PART)),
    },
  ],
  bytesBefore: 0,
  find(text, at, judge) {
    const start = startOf(text, at);
    if (start < text.start) return null;
    const length = LENGTHS.get(text.slice(start, start + 2));
    if (length === undefined) return null;
    const end = endOf(text, start, length);
    if (end === MORE || end === null) return end;
    const isOver = isWordOver(text, end);
    if (isOver === MORE) return MORE;
    const isChecked = isOver && isMod97(text.slice(start, end).replaceAll(" ", ""));
    return isChecked && judge.isReported(KIND, start, true)
      ? { kind: KIND, from: start, start, end, tail: null }
      : null;
  },
};

/** The anchor is seven bytes long, or six. */
function startOf(text: LeakText, at: number): number {
  return isIn(SPACE, text.bytes[at - 3]) ? at - 3 - START_BYTES : at - 2 - START_BYTES;
}

function endOf({ bytes, length, isWhole }: LeakText, start: number, characters: number): number | typeof MORE | null {
  const isSpaced = isIn(SPACE, bytes[start + START_BYTES]);
  let at = start;
  for (let read = 0; read < characters; read++) {
    if (isSpaced && read > 0 && read % 4 === 0) {
      if (at < length && !isIn(SPACE, bytes[at])) return null;
      at++;
    }
    if (at >= length) return isWhole ? null : MORE;
    if (!isIn(PART, bytes[at])) return null;
    at++;
  }
  return at;
}
