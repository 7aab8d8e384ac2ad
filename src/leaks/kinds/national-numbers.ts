import { isLuhn, isVerhoeff, weighted } from "../checksums.ts";
import { BARE, isDay, isLack, isRestOfTwo, national, number, OWN, sumsTo, zero } from "./national-kind.ts";
import type { NumberKind } from "./number-kind.ts";

function isCpf(digits: string): boolean {
  const digitAt = (count: number): number => {
    const weights = Array.from({ length: count }, (_, at) => count + 1 - at);
    return ((weighted(digits, weights) * 10) % 11) % 10;
  };
  return digitAt(9) === Number(digits[9]) && digitAt(10) === Number(digits[10]);
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

function isKorean(digits: string): boolean {
  if (!isDay(number(digits, 4, 6), number(digits, 2, 4))) return false;
  const rest = weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11;
  return (11 - rest) % 10 === Number(digits[12]);
}

function isArgentine(digits: string): boolean {
  const rest = 11 - (weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11);
  return /^(?:2[03467]|3[034])/.test(digits) && (rest === 11 ? 0 : rest === 10 ? 9 : rest) === Number(digits[10]);
}

function isSocialSecurity(digits: string): boolean {
  return !/^(?:000|666|9)/.test(digits) && digits.slice(3, 5) !== "00" && !digits.endsWith("0000");
}

function isKazakh(digits: string): boolean {
  if (!isDay(number(digits, 4, 6), number(digits, 2, 4))) return false;
  return isRestOfTwo(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]);
}

/** Numbers by which a country outside of Europe knows a person, where they are digits alone. */
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
    "tr-tckn",
    "Turkish identification number",
    "nvi.gov.tr",
    { "11": 20 },
    "two digits",
    ["tc", "tckn", "kimlik"],
    isTurkish,
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
