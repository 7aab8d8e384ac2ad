import { type ContainerRules, editJson } from "../../bodies/json-editor.ts";
import type { Steps } from "../../support/turns.ts";

/** A text of JSON, read as `value`, without the members that are named for its objects. */
export function* withoutUndeclared(
  bytes: Buffer,
  value: unknown,
  undeclared: ReadonlyMap<object, ReadonlySet<string>>,
): Steps<Buffer> {
  const rulesOf = (container: object): ContainerRules => {
    const names = undeclared.get(container);
    return {
      removes: (name) => names?.has(name) === true,
      inside: (_, inner) => rulesOf(inner),
      added: () => [],
    };
  };
  if (typeof value !== "object" || value === null) return bytes;
  const edits = { rules: rulesOf(value), text: null, name: null, charsMax: Number.POSITIVE_INFINITY };
  const edited = yield* editJson(bytes.toString("utf8"), value, edits);
  return typeof edited === "string" ? bytes : Buffer.from(edited.text, "utf8");
}
