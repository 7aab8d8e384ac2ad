import { kindsNamed } from "../../leaks/catalogue.ts";
import { NOWHERE } from "../../leaks/places.ts";
import { Scanner } from "../../leaks/scanner.ts";
import type { Steps } from "../../support/turns.ts";
import type { Path } from "../path.ts";
import type { Work } from "../work.ts";

/** What gives access to somebody who reads it. Personal numbers may be in tests, and are no secrets of the policy's. */
const GROUPS = ["tokens", "cloudKeys", "vendorKeys", "privateKeys", "passwords", "connectionStrings"];

/** Headers whose very value lets in. */
const CREDENTIALS =
  /^(?:(?:proxy-)?authorization|cookie)$|(?:^|[-_])(?:secret|password|token|(?:api|auth|access|shared|subscription|functions)[-_]?key)$/;

/** Texts of the policy that are secrets, or hold one. What a problem or a report says of it is its kind alone. */
export function* lintSecrets(work: Work): Steps<void> {
  const scanner = new Scanner(new Set(GROUPS.flatMap((group) => kindsNamed(group))));
  for (const [path, text] of textsOf(work.reader.document.value, [])) {
    yield;
    // Tests bring credentials of nobody's along, and what a reference gives does not stand here.
    if (path[0] === "tests" || work.references.ownText(text) !== text) continue;
    const what = credentialIn(path, text) ?? kindIn(scanner, path, text);
    if (what === null) continue;
    work.warnings.add("secret_in_policy", work.reader.document.place(path), `${what} stands in the policy`);
  }
}

function kindIn(scanner: Scanner, path: Path, text: string): string | null {
  // The name of the key tells of a value what it is, as `password: …` in a text would.
  const bytes = Buffer.from(`${String(path.at(-1))}="${text}"`);
  if (!scanner.mayFind(bytes)) return null;
  const [first] = scanner.scan(bytes, 0, true, () => NOWHERE).found;
  return first === undefined ? null : first.kind.about.replace(/\.$/, "");
}

/** A header that is set on the way to somebody, whose value no attribute fills in. */
function credentialIn(path: Path, text: string): string | null {
  const name = String(path.at(-1)).toLowerCase();
  const isSet = path.at(-2) === "setHeaders" || path.at(-2) === "headers";
  return isSet && CREDENTIALS.test(name) && text !== "" && !text.includes("{") ? `the value of '${path.at(-1)}'` : null;
}

function* textsOf(value: unknown, path: Path): Generator<readonly [Path, string]> {
  if (typeof value === "string") yield [path, value];
  else if (Array.isArray(value)) for (const [at, item] of value.entries()) yield* textsOf(item, [...path, at]);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) yield* textsOf(item, [...path, key]);
}
