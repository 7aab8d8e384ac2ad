import { isLuhn, isMod11And10, modulo, weighted } from "../checksums.ts";
import { BARE, isDay, isLack, isRest, isRestOfTwo, national, number, OWN, sumsTo, zero } from "./national-kind.ts";
import type { NumberKind } from "./number-kind.ts";

function isNorwegian(digits: string): boolean {
  if (!isDay(number(digits, 0, 2) % 40, number(digits, 2, 4) % 40)) return false;
  const first = sumsTo(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1], 11);
  return first && sumsTo(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11);
}

function isBelgian(digits: string): boolean {
  const key = number(digits, 9, 11);
  if (!isDay(Math.max(1, number(digits, 4, 6)), Math.max(1, number(digits, 2, 4) % 20))) return false;
  return [digits.slice(0, 9), `2${digits.slice(0, 9)}`].some((part) => 97 - modulo(part, 97) === key);
}

function isGermanTaxId(digits: string): boolean {
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return digits[0] !== "0" && repeated.length === 1 && (repeated[0] ?? 0) <= 3 && isMod11And10(digits);
}

function isRomanian(digits: string): boolean {
  return isDay(number(digits, 5, 7), number(digits, 3, 5)) && isRest(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9], 1);
}

function isBulgarian(digits: string): boolean {
  return isDay(number(digits, 4, 6), number(digits, 2, 4) % 20) && isRest(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6], 0);
}

function isPortuguese(digits: string): boolean {
  const rest = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11;
  return /^[125689]/.test(digits) && (rest < 2 ? 0 : 11 - rest) === Number(digits[8]);
}

function isFrench(digits: string): boolean {
  const month = number(digits, 3, 5);
  const isMonth = (month >= 1 && month <= 12) || (month >= 20 && month <= 42);
  return /^[12]/.test(digits) && isMonth && 97 - modulo(digits.slice(0, 13), 97) === number(digits, 13, 15);
}

function isSwedish(digits: string): boolean {
  const ten = digits.slice(-10);
  return isDay(number(ten, 4, 6) % 60, number(ten, 2, 4)) && isLuhn(ten);
}

const PESEL = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1];

const EAN13 = [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1];

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

/** Numbers by which a country of Europe knows a person, where they are digits alone; `national-ids.ts` has those with letters. */
export const EUROPEAN_NUMBERS: readonly NumberKind[] = [
  national(
    "fr-nir",
    "French social security number (NIR)",
    "insee.fr",
    { "15": OWN, "1 2 2 2 3 3 2": OWN, "13 2": OWN },
    "modulo 97",
    ["nir", "insee", "secu"],
    isFrench,
  ),
  national(
    "be-nrn",
    "Belgian national register number",
    "ibz.rrn.fgov.be",
    { "11": 20, "2.2.2-3.2": OWN, "6-3-2": OWN },
    "modulo 97, and a date",
    ["rijksregister", "nrn", "niss", "insz", "national", "registre"],
    isBelgian,
  ),
  national(
    "de-tax-id",
    "German tax id",
    "bzst.de",
    { "11": BARE, "2 3 3 3": 20 },
    "ISO/IEC 7064, MOD 11-10",
    ["steuer", "steuerid", "idnr", "tax", "tin", "taxid", "steueridentifikationsnummer"],
    isGermanTaxId,
  ),
  national(
    "nl-bsn",
    "Dutch BSN",
    "rvig.nl",
    { "9": BARE },
    "weighted, modulo 11",
    ["bsn", "burgerservicenummer", "sofi"],
    (digits) => sumsTo(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1], 11),
  ),
  national(
    "pl-pesel",
    "Polish PESEL",
    "gov.pl",
    { "11": BARE },
    "weighted, modulo 10, and a date",
    ["pesel"],
    (digits) => isDay(number(digits, 4, 6), number(digits, 2, 4) % 20) && sumsTo(digits, PESEL, 10),
  ),
  national(
    "pt-nif",
    "Portuguese NIF",
    "portaldasfinancas.gov.pt",
    { "9": BARE, "3 3 3": 20 },
    "modulo 11",
    ["nif", "contribuinte", "tax"],
    isPortuguese,
  ),
  national(
    "se-personnummer",
    "Swedish personal number",
    "skatteverket.se",
    { "10": BARE, "12": BARE, "6-4": 30, "8-4": 30 },
    "Luhn, and a date",
    ["personnummer", "personal", "ssn"],
    isSwedish,
  ),
  national(
    "no-fodselsnummer",
    "Norwegian national number",
    "skatteetaten.no",
    { "11": 20, "6 5": OWN },
    "two digits, modulo 11, and a date",
    ["fodselsnummer", "fnr", "national", "personnummer"],
    isNorwegian,
  ),
  national(
    "ro-cnp",
    "Romanian CNP",
    "hub.mai.gov.ro",
    { "13": 20 },
    "modulo 11, and a date",
    ["cnp", "personal"],
    isRomanian,
  ),
  national("bg-egn", "Bulgarian EGN", "grao.bg", { "10": BARE }, "modulo 11, and a date", ["egn"], isBulgarian),
  national(
    "ch-ahv",
    "Swiss AHV number",
    "zas.admin.ch",
    { "13": 20, "3.4.4.2": OWN },
    "EAN-13, begins with 756",
    ["ahv", "avs", "social", "insurance"],
    (digits) => digits.startsWith("756") && sumsTo(digits, EAN13, 10),
  ),
  national(
    "gb-nhs",
    "NHS number",
    "datadictionary.nhs.uk",
    { "10": BARE, "3 3 4": 20, "3-3-4": 20 },
    "weighted, modulo 11",
    ["nhs"],
    (digits) => sumsTo(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 11),
  ),
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
];
