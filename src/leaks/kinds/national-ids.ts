import { modulo, weighted } from "../checksums.ts";
import { type Detector, type TokenOptions, token } from "../kind.ts";

const national = (
  name: string,
  about: string,
  source: string,
  shapes: readonly string[],
  more: Partial<TokenOptions>,
): Detector =>
  token(name, "nationalNumbers", {
    about,
    source,
    shapes,
    threshold: 70,
    scores: { shape: 40, checksum: 30, word: 40 },
    ...more,
  });

const DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE";
const HETU_SIGNS = "0123456789ABCDEFHJKLMNPRSTUVWXY";

/** What a letter or digit of a codice fiscale in an odd place counts. */
const ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

function isCodiceFiscale(text: string): boolean {
  let sum = 0;
  for (const [at, char] of [...text.slice(0, 15)].entries()) {
    const value = char >= "A" ? char.charCodeAt(0) - 65 : Number(char);
    sum += at % 2 === 0 ? (ODD[value] ?? 0) : value;
  }
  return text.charCodeAt(15) - 65 === sum % 26;
}

function isDni(text: string): boolean {
  const plain = text.replace(/[ -]/g, "").replace(/^[XYZ]/, (letter) => `${"XYZ".indexOf(letter)}`);
  return DNI_LETTERS[Number(plain.slice(0, -1)) % 23] === plain.at(-1);
}

function isHetu(text: string): boolean {
  const day = Number(text.slice(0, 2));
  const month = Number(text.slice(2, 4));
  if (day < 1 || day > 31 || month < 1 || month > 12) return false;
  return HETU_SIGNS[Number(text.slice(0, 6) + text.slice(7, 10)) % 31] === text.at(-1);
}

const RIC_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

function isResidentId(text: string): boolean {
  const isBorn = /^[1-8]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])/.test(text);
  return isBorn && "10X98765432"[weighted(text, RIC_WEIGHTS) % 11] === text.at(-1);
}

const CURP_SIGNS = "0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ";

function isCurp(text: string): boolean {
  let sum = 0;
  for (const [at, char] of [...text.slice(0, 17)].entries()) sum += CURP_SIGNS.indexOf(char) * (18 - at);
  return (10 - (sum % 10)) % 10 === Number(text[17]);
}

function isRut(text: string): boolean {
  const digits = text.slice(0, -2).replaceAll(".", "");
  const sum = [...digits].reverse().reduce((total, digit, at) => total + Number(digit) * (2 + (at % 6)), 0);
  return "0K987654321"[modulo(`${sum}`, 11)] === text.at(-1);
}

const PPS_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV";

function isPps(text: string): boolean {
  const second = PPS_LETTERS.indexOf(text[8] ?? "W");
  return PPS_LETTERS[(weighted(text, [8, 7, 6, 5, 4, 3, 2]) + 9 * second) % 23] === text[7];
}

function isNric(text: string): boolean {
  const sum = weighted(text.slice(1), [2, 7, 6, 5, 4, 3, 2]) + (/^[TG]/.test(text) ? 4 : 0);
  return (/^[ST]/.test(text) ? "JZIHGFEDCBA" : "XWUTRQPNMLK")[sum % 11] === text.at(-1);
}

/** Letters count from ten on, and a missing one as 36. */
function isHkid(text: string): boolean {
  const plain = text.replace(/[()]/g, "").padStart(9, " ");
  const values = [...plain].map((char) => (char === " " ? 36 : Number.parseInt(char, 36)));
  const last = plain.at(-1) === "A" ? 10 : Number(plain.at(-1));
  const sum = values.slice(0, 8).reduce((total, value, at) => total + value * (9 - at), 0);
  return (sum + last) % 11 === 0;
}

/** What each letter counts is the number of the place that it stands for. */
const TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO";

function isTaiwanese(text: string): boolean {
  const place = TAIWAN_LETTERS.indexOf(text[0] ?? "") + 10;
  const sum = Math.floor(place / 10) + (place % 10) * 9 + weighted(text.slice(1), [8, 7, 6, 5, 4, 3, 2, 1, 1]);
  return sum % 10 === 0;
}

function isRodneCislo(text: string): boolean {
  const digits = text.replace("/", "");
  const [month, day] = [Number(digits.slice(2, 4)) % 50, Number(digits.slice(4, 6))];
  if (day < 1 || day > 31 || month % 20 < 1 || month % 20 > 12) return false;
  return modulo(digits.slice(0, 9), 11) % 10 === Number(digits[9]);
}

/** Numbers by which a country knows a person, where letters are in them. */
export const NATIONAL_IDS: readonly Detector[] = [
  national(
    "it-codice-fiscale",
    "Italian codice fiscale",
    "agenziaentrate.gov.it",
    ["[A-Z]{6}\\d{2}[A-EHLMPRST]\\d{2}[A-Z]\\d{3}[A-Z]"],
    {
      checksum: "letter, modulo 26",
      isChecked: isCodiceFiscale,
      anchorBytes: 8,
    },
  ),
  national(
    "es-dni",
    "Spanish DNI or NIE",
    "interior.gob.es",
    // Ways with and without a hyphen apart: behind what is optional the first pass does not look.
    ["\\d{8}[A-HJ-NP-TV-Z]", "\\d{8}-[A-HJ-NP-TV-Z]", "[XYZ]\\d{7}-?[A-HJ-NP-TV-Z]", "[XYZ]-\\d{7}-?[A-HJ-NP-TV-Z]"],
    {
      checksum: "letter, modulo 23",
      isChecked: isDni,
      anchorBytes: 10,
      scores: { shape: 20, checksum: 30, word: 40 },
      words: ["dni", "nie", "nif", "documento", "identidad"],
    },
  ),
  national("fi-hetu", "Finnish personal identity code", "dvv.fi", ["\\d{6}[A-F+-]\\d{3}[0-9A-FHJ-NPR-Y]"], {
    checksum: "sign, modulo 31, and a date",
    isChecked: isHetu,
    anchorBytes: 8,
  }),
  national("cn-resident-id", "Chinese resident identity number", "GB 11643-1999", ["\\d{17}[0-9X]"], {
    checksum: "ISO/IEC 7064, MOD 11-2, and a date",
    isChecked: isResidentId,
    anchorBytes: 17,
  }),
  national("mx-curp", "Mexican CURP", "gob.mx/curp", ["[A-Z]{4}\\d{6}[HMX][A-Z]{5}[0-9A-Z]\\d"], {
    checksum: "weighted, modulo 10",
    isChecked: isCurp,
    anchorBytes: 8,
  }),
  national("cl-rut", "Chilean RUT", "sii.cl", ["\\d.\\d{3}.\\d{3}-[0-9K]", "\\d{2}.\\d{3}.\\d{3}-[0-9K]"], {
    checksum: "modulo 11",
    isChecked: isRut,
    anchorBytes: 8,
  }),
  national(
    "gb-nino",
    "United Kingdom National Insurance number",
    "gov.uk",
    [
      "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\\d{6}[A-D]",
      "[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] \\d{2} \\d{2} \\d{2} [A-D]",
    ],
    {
      words: ["nino", "insurance", "national"],
    },
  ),
  national("ie-pps", "Irish PPS number", "gov.ie", ["\\d{7}[A-W][A-IW]", "\\d{7}[A-W]"], {
    checksum: "letter, modulo 23",
    isChecked: isPps,
    anchorBytes: 8,
    scores: { shape: 20, checksum: 30, word: 40 },
    words: ["pps", "ppsn"],
  }),
  national("sg-nric", "Singapore NRIC or FIN", "ica.gov.sg", ["[STFG]\\d{7}[A-Z]"], {
    checksum: "letter, modulo 11",
    isChecked: isNric,
    anchorBytes: 8,
    scores: { shape: 20, checksum: 30, word: 40 },
    words: ["nric", "fin", "uinfin"],
  }),
  national("hk-hkid", "Hong Kong identity card number", "immd.gov.hk", ["[A-Z]{1,2}\\d{6}~~\\([0-9A]\\)"], {
    checksum: "modulo 11",
    isChecked: isHkid,
    isOpen: true,
  }),
  national("tw-id", "Taiwanese identity number", "ris.gov.tw", ["[A-Z][1289]\\d{8}"], {
    checksum: "weighted, modulo 10",
    isChecked: isTaiwanese,
    anchorBytes: 8,
    scores: { shape: 20, checksum: 30, word: 40 },
    words: ["taiwan", "twid", "identity", "national"],
  }),
  national("cz-rodne-cislo", "Czech or Slovak birth number", "mv.gov.cz", ["\\d{6}/\\d{4}"], {
    checksum: "modulo 11, and a date",
    isChecked: isRodneCislo,
    anchorBytes: 8,
  }),
];
