import { isLuhn, isMod11And10, weighted } from "../checksums.ts";
import { BARE, isDay, national, number, OWN } from "./national-numbers.ts";
import type { NumberKind } from "./number-kind.ts";

/** The last digit is the rest by eleven; where that is ten, by further weights, and zero where it is ten again. */
function isRestOfTwo(digits: string, weights: readonly number[], further: readonly number[]): boolean {
  const first = weighted(digits, weights) % 11;
  const rest = first < 10 ? first : weighted(digits, further) % 11;
  return rest % 10 === Number(digits.at(-1));
}

/** The last digit is what a multiple of eleven lacks; ten and eleven are `more`. */
function isLack(digits: string, weights: readonly number[], more: (lack: number) => number): boolean {
  const lack = 11 - (weighted(digits, weights) % 11);
  return (lack > 9 ? more(lack) : lack) === Number(digits[weights.length]);
}

const zero = (): number => 0;

function isEstonian(digits: string): boolean {
  const isBorn = /^[1-8]/.test(digits) && isDay(number(digits, 5, 7), number(digits, 3, 5));
  return isBorn && isRestOfTwo(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1], [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]);
}

function isLatvian(digits: string): boolean {
  const rest = (1101 - weighted(digits, [1, 6, 3, 7, 9, 10, 5, 8, 4, 2])) % 11;
  return isDay(number(digits, 0, 2), number(digits, 2, 4)) && rest === Number(digits[10]);
}

function isAustrian(digits: string): boolean {
  const rest = weighted(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
  return isDay(number(digits, 4, 6), number(digits, 6, 8)) && rest === Number(digits[3]);
}

function isIcelandic(digits: string): boolean {
  if (!/[089]$/.test(digits) || !isDay(number(digits, 0, 2), number(digits, 2, 4))) return false;
  return isLack(digits, [3, 2, 7, 6, 5, 4, 3, 2], (lack) => (lack === 11 ? 0 : Number.NaN));
}

function isInn(digits: string): boolean {
  const isFirst = (weighted(digits, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10 === Number(digits[10]);
  return isFirst && (weighted(digits, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10 === Number(digits[11]);
}

function isKazakh(digits: string): boolean {
  if (!isDay(number(digits, 4, 6), number(digits, 2, 4))) return false;
  return isRestOfTwo(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]);
}

/** Further ones of digits alone. */
export const MORE_NATIONAL_NUMBERS: readonly NumberKind[] = [
  national(
    "ee-isikukood",
    "Estonian or Lithuanian personal code",
    "siseministeerium.ee; registrucentras.lt",
    { "11": BARE },
    "modulo 11, and a date",
    ["isikukood", "asmens", "kodas", "asmenskodas"],
    isEstonian,
  ),
  national(
    "lv-personas-kods",
    "Latvian personal code",
    "pmlp.gov.lv",
    { "11": BARE, "6-5": OWN },
    "modulo 11, and a date",
    ["personas", "kods"],
    isLatvian,
  ),
  national(
    "hr-oib",
    "Croatian OIB",
    "porezna-uprava.hr",
    { "11": BARE },
    "ISO/IEC 7064, MOD 11-10",
    ["oib"],
    isMod11And10,
  ),
  national(
    "rs-jmbg",
    "Number of citizens of Serbia, Slovenia and their neighbours (JMBG, EMŠO)",
    "mup.gov.rs; gov.si",
    { "13": 20 },
    "modulo 11, and a date",
    ["jmbg", "emso", "embg", "maticni"],
    (digits) =>
      isDay(number(digits, 0, 2), number(digits, 2, 4)) && isLack(digits, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], zero),
  ),
  national(
    "gr-amka",
    "Greek AMKA",
    "amka.gr",
    { "11": BARE },
    "Luhn, and a date",
    ["amka"],
    (digits) => isDay(number(digits, 0, 2), number(digits, 2, 4)) && isLuhn(digits),
  ),
  national(
    "at-svnr",
    "Austrian social security number",
    "sozialversicherung.at",
    { "10": BARE, "4 6": 30 },
    "modulo 11, and a date",
    ["svnr", "sozialversicherung", "sozialversicherungsnummer", "versicherungsnummer"],
    isAustrian,
  ),
  national(
    "is-kennitala",
    "Icelandic kennitala",
    "skra.is",
    { "10": BARE, "6-4": 30 },
    "modulo 11, and a date",
    ["kennitala"],
    isIcelandic,
  ),
  national(
    "dk-cpr",
    "Danish CPR number",
    "cpr.dk",
    { "10": 30, "6-4": 30 },
    "",
    ["cpr", "cprnr", "cprnummer"],
    (digits) => isDay(number(digits, 0, 2), number(digits, 2, 4)),
  ),
  national(
    "il-id",
    "Israeli identity number",
    "gov.il",
    { "9": BARE },
    "Luhn",
    ["teudat", "zehut", "teudatzehut"],
    isLuhn,
  ),
  national(
    "jp-my-number",
    "Japanese My Number",
    "cao.go.jp",
    { "12": BARE, "4 4 4": 20, "4-4-4": 20 },
    "modulo 11",
    ["mynumber", "my_number", "kojinbango"],
    (digits) => isLack(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], zero),
  ),
  national(
    "th-id",
    "Thai identity number",
    "bora.dopa.go.th",
    { "13": 20, "1-4-5-2-1": OWN, "1 4 5 2 1": OWN },
    "modulo 11",
    ["thai", "thaiid", "citizen"],
    (digits) => isLack(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2], (lack) => lack % 10),
  ),
  national(
    "ru-inn",
    "Russian INN of a person",
    "nalog.gov.ru",
    { "12": BARE },
    "two digits, modulo 11",
    ["inn"],
    isInn,
  ),
  national(
    "ru-snils",
    "Russian SNILS",
    "sfr.gov.ru",
    { "11": BARE, "3-3-3 2": OWN },
    "modulo 101",
    ["snils"],
    (digits) => (weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100 === number(digits, 9, 11),
  ),
  national(
    "ua-rnokpp",
    "Ukrainian RNOKPP",
    "tax.gov.ua",
    { "10": BARE },
    "modulo 11",
    ["rnokpp", "ipn"],
    (digits) => (((weighted(digits, [-1, 5, 7, 9, 4, 6, 10, 5, 7]) % 11) + 11) % 11) % 10 === Number(digits[9]),
  ),
  national("kz-iin", "Kazakh IIN", "egov.kz", { "12": BARE }, "modulo 11, and a date", ["iin"], isKazakh),
  national(
    "ec-cedula",
    "Ecuadorian cédula",
    "registrocivil.gob.ec",
    { "10": BARE },
    "Luhn, and a province",
    ["cedula"],
    (digits) => number(digits, 0, 2) >= 1 && number(digits, 0, 2) <= 24 && /^..[0-5]/.test(digits) && isLuhn(digits),
  ),
  national(
    "ae-id",
    "Emirates identity number",
    "icp.gov.ae",
    { "15": 20, "3-4-7-1": OWN },
    "Luhn, begins with 784",
    ["emirates", "eid"],
    (digits) => digits.startsWith("784") && isLuhn(digits),
  ),
  national(
    "sa-id",
    "Saudi identity or residence number",
    "absher.sa",
    { "10": BARE },
    "Luhn",
    ["iqama", "saudi"],
    (digits) => /^[12]/.test(digits) && isLuhn(digits),
  ),
  national(
    "au-medicare",
    "Australian Medicare number",
    "servicesaustralia.gov.au",
    { "10": BARE, "4 5 1": 30 },
    "weighted, modulo 10",
    ["medicare"],
    (digits) => /^[2-6]/.test(digits) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8]),
  ),
];
