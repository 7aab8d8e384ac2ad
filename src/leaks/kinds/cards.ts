import { isLuhn } from "../checksums.ts";
import { type Detector, token } from "../kind.ts";
import type { NumberKind } from "./number-kind.ts";

/** How card numbers are grouped: in fours, as American Express and Diners do, or not at all; with dots are versions and addresses, too. */
const USUAL = { "16": 30, "4 4 4 4": 40, "4-4-4-4": 40, "4.4.4.4": 20 };
const WORDS = ["card", "cards", "credit", "debit", "creditcard", "cardnumber", "pan", "cc", "ccnumber"];

const card = (name: string, about: string, layouts: Readonly<Record<string, number>>, prefix: RegExp): NumberKind => ({
  name,
  group: "cards",
  about: `${about} card number`,
  layouts,
  checksum: "Luhn, and a prefix of the issuer",
  isValid: (digits) => prefix.test(digits) && isLuhn(digits),
  words: WORDS,
  scores: { checksum: 40, word: 30 },
  source: "ISO/IEC 7812-1; issuer identification numbers as the networks publish them",
});

/** By issuer; lengths that only some issuers use need a telling word. */
export const CARD_NUMBERS: readonly NumberKind[] = [
  card("card-visa", "Visa", { ...USUAL, "13": 10, "19": 10, "4 4 4 4 3": 30 }, /^4/),
  card("card-mastercard", "Mastercard", USUAL, /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/),
  card("card-amex", "American Express", { "15": 30, "4 6 5": 40, "4-6-5": 40 }, /^3[47]/),
  card("card-discover", "Discover", { ...USUAL, "19": 10 }, /^(?:6011|64[4-9]|65)/),
  card("card-diners", "Diners Club", { "14": 30, "4 6 4": 40, "4-6-4": 40, "16": 10 }, /^(?:30[0-5]|3095|36|3[89])/),
  card("card-jcb", "JCB", { ...USUAL, "19": 10 }, /^35(?:2[89]|[3-8])/),
  card("card-unionpay", "UnionPay", { ...USUAL, "17": 10, "18": 10, "19": 10, "4 4 4 4 3": 30 }, /^(?:62|81)/),
  card(
    "card-maestro",
    "Maestro",
    { "12": 10, "13": 10, "14": 10, "15": 10, "16": 10, "18": 10, "19": 10, "4 4 4 4": 30 },
    /^(?:5018|5020|5038|5893|6304|6759|676[123])/,
  ),
  card("card-mir", "Mir", { ...USUAL, "19": 10 }, /^220[0-4]/),
  card("card-rupay", "RuPay", USUAL, /^(?:508[5-9]|6069|607|608|82)/),
];

/** What is on the stripe of a card, which nobody may keep. */
export const CARD_TRACK: Detector = token("card-track", "cards", {
  about: "Track of a card's magnetic stripe",
  shapes: ["%B\\d{12,19}^[A-Za-z0-9 ./'-]{2,26}^\\d{4,60}", ";\\d{12,19}=\\d{7,40}"],
  checksum: "Luhn",
  isChecked: (found) => isLuhn(/\d+/.exec(found)?.[0] ?? ""),
  scores: { shape: 30, checksum: 40 },
  threshold: 70,
  source: "ISO/IEC 7813",
  isOpen: true,
});
