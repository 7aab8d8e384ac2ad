import { byteSet, except } from "../byte-set.ts";
import { entropyOf } from "../checksums.ts";
import type { Detector, Found, LeakKind, Tail } from "../kind.ts";
import { isPlaceholder, type NamedValue, namedValueAt, wordsOf } from "../named-value.ts";
import { anchorOf, MORE, parseShape } from "../shape.ts";

/** A kind that is known by the name that its value stands under. */
interface Named {
  readonly kind: Omit<LeakKind, "words" | "scores" | "threshold">;
  /** Found in the name, in either case. */
  readonly parts: readonly string[];
  isName(words: readonly string[]): boolean;
  /** `isBare`: behind a colon or a blank, without quotes, as words of prose are. */
  isValue(value: string, isBare: boolean, words: readonly string[]): boolean;
}

const SCORE = 60;
/** A long value in quotes, to its end. */
const REST: Tail = { set: except(byteSet('"\\n\\r')), until: "", bytesMax: 4096 };

function named({ kind: about, parts, isName, isValue }: Named): Detector {
  const kind: LeakKind = { ...about, words: parts, scores: { shape: 0, checksum: 0, word: SCORE }, threshold: SCORE };
  const found = ({ from, start, end, isCut }: NamedValue): Found => ({
    kind,
    from,
    start,
    end,
    tail: isCut ? REST : null,
  });
  return {
    kinds: [kind],
    anchors: parts.map((part) => anchorOf(parseShape(part, true), null)),
    bytesBefore: 48,
    find(text, at, judge) {
      if (!judge.wants(kind)) return null;
      const value = namedValueAt(text, at);
      if (value === MORE || value === null) return value;
      const words = wordsOf(value.name);
      if (value.from < text.start || !isName(words)) return null;
      return isValue(text.slice(value.start, value.end), value.isBare, words) ? found(value) : null;
    },
  };
}

const PASSWORDS = new Set([
  "password",
  "passwd",
  "passphrase",
  "passcode",
  "passwort",
  "pwd",
  "userpassword",
  "dbpassword",
]);
/** What may follow the word. */
const MORE_OF_PASSWORD = new Set([
  "confirmation",
  "confirm",
  "repeat",
  "again",
  "plain",
  "plaintext",
  "text",
  "value",
  "old",
  "new",
  "current",
]);

function isPasswordName(words: readonly string[]): boolean {
  const rest = [...words];
  while (rest.length > 1 && MORE_OF_PASSWORD.has(rest.at(-1) ?? "")) rest.pop();
  return PASSWORDS.has(rest.at(-1) ?? "");
}

/** What a form says of its field in one word; passwords of usual languages, as Latin-1 has their UTF-8. */
const LABEL =
  /^(?:kennwort|contrase\S{1,2}a|senha|wachtwoord|has\S{1,2}o|heslo|parola|l\S{1,2}senord|adgangskode|salasana|\S{1,2}ifre|invalid|incorrect|missing|mismatch|blank|empty|weak)$/i;

/** As messages about a field and its labels are: words, or nothing of ASCII: `is too short`, `Пароль`, `••••`. */
function isProse(value: string): boolean {
  const words = value.split(" ").filter((word) => /[A-Za-z]/.test(word));
  return LABEL.test(value) || /^[ \x80-\xff]+$/.test(value) || (words.length > 1 && !words.some(isOddWord));
}

const isOddWord = (word: string): boolean => /\d/.test(word) || /[A-Za-z][$@!#%&*_+=^~<>|]+[A-Za-z]/.test(word);

/** In prose behind a colon stand words and addresses. */
const BARE = /^(?=.*[A-Za-z])(?=.*\d)(?!.*:\/\/)[^/].{5,}$/;

function isPassword(value: string, isBare: boolean, words: readonly string[]): boolean {
  if (isPlaceholder(value)) return false;
  return isBare ? BARE.test(value) : words.includes("passphrase") || !isProse(value);
}

const SECRET_LAST = new Set([
  "secret",
  "token",
  "apikey",
  "credential",
  "credentials",
  "clientsecret",
  "accesstoken",
  "authtoken",
]);
const KEY_BEFORE = new Set([
  "api",
  "access",
  "secret",
  "private",
  "auth",
  "master",
  "signing",
  "encryption",
  "service",
  "account",
]);
/** Marks of a place in a list, and what a browser may see. */
const HARMLESS = new Set([
  "page",
  "next",
  "prev",
  "previous",
  "cursor",
  "continuation",
  "sync",
  "csrf",
  "xsrf",
  "idempotency",
  "public",
  "publishable",
  "etag",
  "version",
  "skip",
  "delta",
  "pagination",
  "request",
  "upload",
]);

function isSecretName(words: readonly string[]): boolean {
  const last = words.at(-1) ?? "";
  if (words.some((word) => HARMLESS.has(word))) return false;
  return SECRET_LAST.has(last) || (last === "key" && KEY_BEFORE.has(words.at(-2) ?? ""));
}

/** Bits a character that a text of random characters has at least: those of 16 signs, or of more. */
const HEX_BITS_MIN = 3;
const BITS_MIN = 3.5;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function isRandom(value: string): boolean {
  if (!/^[A-Za-z0-9+/=_.~-]{20,512}$/.test(value) || UUID.test(value)) return false;
  if (!/[0-9]/.test(value) || !/[A-Za-z]/.test(value)) return false;
  return entropyOf(value) >= (/^[0-9a-f]+$/i.test(value) ? HEX_BITS_MIN : BITS_MIN);
}

/** What only its name tells: passwords, and what is random under a telling name. */
export const NAMED_SECRETS: readonly Detector[] = [
  named({
    kind: {
      name: "password-field",
      group: "passwords",
      about: "Password in a field of that name",
      shape:
        "name ends in a word for password; in quotes, in an element, or behind =; behind a colon with letters and digits; placeholders and prose do not count",
      checksum: "",
      source: "field names in use",
    },
    parts: ["passw", "passphrase", "passcode", "pwd"],
    isName: isPasswordName,
    isValue: isPassword,
  }),
  named({
    kind: {
      name: "aws-secret-access-key",
      group: "cloudKeys",
      about: "AWS secret access key",
      shape: "[A-Za-z0-9/+]{40} under a name with secret and access or aws",
      checksum: "entropy of 4 bits a character",
      source: "docs.aws.amazon.com: access keys",
    },
    parts: ["secret"],
    isName: (words) => /secret/.test(words.join("")) && /aws|access/.test(words.join("")),
    isValue: (value) => /^[A-Za-z0-9/+]{40}$/.test(value) && entropyOf(value) >= 4,
  }),
  named({
    kind: {
      name: "secret-by-name",
      group: "entropy",
      about: "Random text under a name for a secret",
      shape: "20 to 512 characters of base64, base64url or hexadecimal, letters and digits; no UUID",
      checksum: `entropy of ${BITS_MIN} bits a character, ${HEX_BITS_MIN} where it is hexadecimal`,
      source: "field names in use",
    },
    parts: [
      "secret",
      "token",
      "apikey",
      "api_key",
      "api-key",
      "access_key",
      "access-key",
      "accesskey",
      "private_key",
      "privatekey",
      "authkey",
      "auth_key",
      "masterkey",
      "master_key",
      "signingkey",
      "signing_key",
      "encryptionkey",
      "encryption_key",
      "servicekey",
      "service_key",
      "accountkey",
      "account_key",
      "credential",
    ],
    isName: isSecretName,
    isValue: isRandom,
  }),
];
