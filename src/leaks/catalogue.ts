import type { Detector, LeakKind } from "./kind.ts";
import { AI_KEYS } from "./kinds/ai-keys.ts";
import { CARD_TRACK } from "./kinds/cards.ts";
import { CLOUD_KEYS } from "./kinds/cloud-keys.ts";
import { CONNECTION_STRINGS } from "./kinds/connection-strings.ts";
import { CONTACTS } from "./kinds/contacts.ts";
import { FRAMEWORK_PAGES } from "./kinds/error-pages.ts";
import { IBAN } from "./kinds/iban.ts";
import { NAMED_SECRETS } from "./kinds/named-secrets.ts";
import { NATIONAL_IDS } from "./kinds/national-ids.ts";
import { NUMBERS } from "./kinds/numbers.ts";
import { PASSWORD_HASHES } from "./kinds/password-hashes.ts";
import { PRIVATE_KEYS } from "./kinds/private-keys.ts";
import { SQL_ERRORS } from "./kinds/sql-errors.ts";
import { STACK_TRACES } from "./kinds/stack-traces.ts";
import { TOKENS } from "./kinds/tokens.ts";
import { VENDOR_KEYS } from "./kinds/vendor-keys.ts";

/** All detectors. Where two find something that begins at one anchor, the first of them has it: names come last. */
export const DETECTORS: readonly Detector[] = [
  ...PRIVATE_KEYS,
  ...CLOUD_KEYS,
  ...VENDOR_KEYS,
  ...AI_KEYS,
  ...TOKENS,
  IBAN,
  CARD_TRACK,
  ...NATIONAL_IDS,
  NUMBERS,
  ...CONTACTS,
  ...PASSWORD_HASHES,
  ...CONNECTION_STRINGS,
  ...STACK_TRACES,
  ...SQL_ERRORS,
  ...FRAMEWORK_PAGES,
  ...NAMED_SECRETS,
];

export const LEAK_KINDS: readonly LeakKind[] = DETECTORS.flatMap(({ kinds }) => kinds);

export const LEAK_GROUPS: readonly string[] = [...new Set(LEAK_KINDS.map(({ group }) => group))];

/** Kinds that a word of a policy means: a group's, or one; empty for no word. */
export function kindsNamed(word: string): readonly LeakKind[] {
  return LEAK_KINDS.filter(({ name, group }) => group === word || name === word);
}
