import { isLuhn, isMod11And10, isVerhoeff, modulo, weighted } from "../checksums.ts";
import type { NumberKind } from "./number-kind.ts";

export const national = (
  name: string,
  about: string,
  source: string,
  layouts: Readonly<Record<string, number>>,
  checksum: string,
  words: readonly string[],
  isValid: (digits: string) => boolean,
): NumberKind => ({
  name,
  group: "nationalNumbers",
  about,
  layouts,
  checksum,
  isValid: (digits) => !/^(\d)\1*$/.test(digits) && isValid(digits),
  words,
  scores: { checksum: 30, word: 40 },
  source,
});

/** Digits that no usual grouping tells from others: a word has to stand near. */
export const BARE = 10;
/** As only this number is written. */
export const OWN = 40;

export const number = (digits: string, from: number, to: number): number => Number(digits.slice(from, to));

/** Day and month as two digits each; what countries add to them to tell centuries or sexes is off. */
export function isDay(day: number, month: number): boolean {
  return day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

/** The last digit makes the weighted sum a multiple. */
const sumsTo = (digits: string, weights: readonly number[], divisor: number): boolean =>
  weighted(digits, weights) % divisor === 0;

function isCpf(digits: string): boolean {
  const digitAt = (count: number): number => {
    const weights = Array.from({ length: count }, (_, at) => count + 1 - at);
    return ((weighted(digits, weights) * 10) % 11) % 10;
  };
  return digitAt(9) === Number(digits[9]) && digitAt(10) === Number(digits[10]);
}

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

function isTurkish(digits: string): boolean {
  if (digits.startsWith("0")) return false;
  const odd = weighted(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighted(digits, [0, 1, 0, 1, 0, 1, 0, 1]);
  const tenth = (((odd * 7 - even) % 10) + 10) % 10;
  const eleventh =
    weighted(
      digits,
      Array.from({ length: 10 }, () => 1),
    ) % 10;
  return tenth === Number(digits[9]) && eleventh === Number(digits[10]);
}

function isGermanTaxId(digits: string): boolean {
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return digits[0] !== "0" && repeated.length === 1 && (repeated[0] ?? 0) <= 3 && isMod11And10(digits);
}

/** The check digit is the rest by eleven, and in its place something else where that is ten. */
function isRest(digits: string, weights: readonly number[], ten: number): boolean {
  const rest = weighted(digits, weights) % 11;
  return (rest === 10 ? ten : rest) === Number(digits.at(-1));
}

function isRomanian(digits: string): boolean {
  return isDay(number(digits, 5, 7), number(digits, 3, 5)) && isRest(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9], 1);
}

function isBulgarian(digits: string): boolean {
  return isDay(number(digits, 4, 6), number(digits, 2, 4) % 20) && isRest(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6], 0);
}

function isKorean(digits: string): boolean {
  if (!isDay(number(digits, 4, 6), number(digits, 2, 4))) return false;
  const rest = weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11;
  return (11 - rest) % 10 === Number(digits[12]);
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

function isArgentine(digits: string): boolean {
  const rest = 11 - (weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11);
  return /^(?:2[03467]|3[034])/.test(digits) && (rest === 11 ? 0 : rest === 10 ? 9 : rest) === Number(digits[10]);
}

function isSocialSecurity(digits: string): boolean {
  return !/^(?:000|666|9)/.test(digits) && digits.slice(3, 5) !== "00" && !digits.endsWith("0000");
}

const PESEL = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1];
const EAN13 = [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1];

/** Numbers by which a country knows a person, where they are digits alone; `national-ids.ts` has those with letters. */
export const NATIONAL_NUMBERS: readonly NumberKind[] = [
  national(
    "us-ssn",
    "United States social security number",
    "ssa.gov",
    { "3-2-4": OWN },
    "",
    ["ssn", "social", "security", "tax"],
    isSocialSecurity,
  ),
  national(
    "us-ssn-digits",
    "United States social security number without dashes",
    "ssa.gov",
    { "9": 30 },
    "",
    ["ssn"],
    isSocialSecurity,
  ),
  national(
    "ca-sin",
    "Canadian social insurance number",
    "canada.ca",
    { "9": BARE, "3-3-3": 20, "3 3 3": 20 },
    "Luhn",
    ["sin", "social", "insurance", "nas"],
    isLuhn,
  ),
  national(
    "br-cpf",
    "Brazilian CPF",
    "Receita Federal",
    { "11": BARE, "3.3.3-2": OWN },
    "two digits, modulo 11",
    ["cpf"],
    isCpf,
  ),
  national(
    "ar-cuit",
    "Argentine CUIT or CUIL",
    "afip.gob.ar",
    { "11": BARE, "2-8-1": OWN },
    "modulo 11",
    ["cuit", "cuil"],
    isArgentine,
  ),
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
    "tr-tckn",
    "Turkish identification number",
    "nvi.gov.tr",
    { "11": 20 },
    "two digits",
    ["tc", "tckn", "kimlik"],
    isTurkish,
  ),
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
    "za-id",
    "South African identity number",
    "dha.gov.za",
    { "13": 20 },
    "Luhn, and a date",
    ["identity", "idnumber", "rsa", "said"],
    (digits) => isDay(number(digits, 4, 6), number(digits, 2, 4)) && isLuhn(digits),
  ),
  national(
    "in-aadhaar",
    "Indian Aadhaar number",
    "uidai.gov.in",
    { "12": BARE, "4 4 4": 20, "4-4-4": 20 },
    "Verhoeff",
    ["aadhaar", "aadhar", "uidai", "uid"],
    (digits) => /^[2-9]/.test(digits) && isVerhoeff(digits),
  ),
  national(
    "au-tfn",
    "Australian tax file number",
    "ato.gov.au",
    { "9": BARE, "3 3 3": 20 },
    "weighted, modulo 11",
    ["tfn", "tax"],
    (digits) => sumsTo(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10], 11),
  ),
  national(
    "kr-rrn",
    "Korean resident number",
    "mois.go.kr",
    { "6-7": OWN },
    "modulo 11, and a date",
    ["rrn", "resident"],
    isKorean,
  ),
];
