// Goal: the loop that goes over usual members makes of any text what the reader makes of it that goes byte by byte.
// Method: texts of JSON and of what nearly is, lists of items that are laid out alike or nearly, random rules; at once, a byte
// at a time, cut anywhere, and with every name told.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonPlace, parseJsonPath, placesOf } from "../../src/bodies/json-paths.ts";
import { type JsonEdit, JsonRewriter } from "../../src/bodies/json-rewriter.ts";
import { FieldEdit } from "../../src/filters/response/fields/evaluate.ts";
import { fixed, last4, MaskEdit } from "../../src/filters/response/mask/evaluate.ts";
import { FieldNames } from "../../src/message/answer-count.ts";
import { atOnce } from "../../src/support/turns.ts";
import { alikeJson, oddJson } from "../fixtures/odd-json.ts";

const step = fc.constantFrom(
  ".ssn",
  ".a",
  ".items",
  ".cost",
  "[*]",
  ".*",
  "[0]",
  "[1]",
  "..ssn",
  "..a",
  "..[0]",
  "..*",
  "['']",
);
const path = fc.oneof(
  fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => `$${steps.join("")}`),
  fc.constantFrom("/ssn", "/items/0/cost", "/0/a", "/a", "/"),
);
const paths = fc.array(path, { minLength: 1, maxLength: 3 });
const rule = fc.record({ first: paths, second: paths, kind: fc.constantFrom("remove", "allow", "both", "mask") });
type Rule = typeof rule extends fc.Arbitrary<infer R> ? R : never;

function placeOf({ first, second }: Rule): JsonPlace {
  const entries = [first, second].flatMap((texts, entry) =>
    texts.map((one) => {
      const parsed = parseJsonPath(one);
      if (!parsed.ok) throw new Error(`${one}: ${parsed.error}`);
      return { path: parsed.value, entry };
    }),
  );
  return atOnce(placesOf(entries));
}

interface Made {
  readonly out: string;
  readonly fault: string | null;
  readonly told: string;
}

type AnyEdit = JsonEdit<object>;

/** `tellsAll`: no name is passed over, so that the loop is never begun. */
function made(one: Rule, root: JsonPlace, bytes: Buffer, cuts: readonly number[], tellsAll: boolean): Made {
  const { edit, told } = editOf(one, root);
  const heard: AnyEdit = {
    root: edit.root,
    child: (of, key) => edit.child(of, key),
    fate: (node, byte) => edit.fate(node, byte),
    replacement: (node, raw) => edit.replacement(node, raw),
  };
  const rewriter = new JsonRewriter(tellsAll ? heard : edit);
  const out: Buffer[] = [];
  for (let at = 0, cut = 0; at < bytes.length; cut++) {
    const size = cuts[cut % cuts.length] ?? bytes.length;
    out.push(Buffer.from(rewriter.take(bytes.subarray(at, at + size))));
    at += size;
    if (rewriter.fault !== null) break;
  }
  if (rewriter.fault === null) out.push(rewriter.end());
  return { out: Buffer.concat(out).toString("latin1"), fault: rewriter.fault, told: told() };
}

function editOf({ kind }: Rule, root: JsonPlace): { edit: AnyEdit; told: () => string } {
  if (kind === "mask") {
    const names = new FieldNames();
    const edit = new MaskEdit(root, [fixed("***"), last4], 3, "utf8", names);
    return { edit: edit as unknown as AnyEdit, told: () => `${edit.masked} ${names.shown.join()}` };
  }
  const [allow, remove] = kind === "both" ? [1, 2] : kind === "allow" ? [3, 0] : [0, 3];
  const edit = new FieldEdit(root, allow, remove);
  return { edit: edit as unknown as AnyEdit, told: () => `${edit.removed} ${edit.names.shown.join()}` };
}

const cutting = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });

test.each([
  ["odd JSON", oddJson],
  ["items that are laid out alike", alikeJson],
])(
  "of %s at once, in pieces and byte by byte the same leaves, or is refused",
  (_, json) => {
    fc.assert(
      fc.property(rule, json, cutting, (one, bytes, cuts) => {
        const root = placeOf(one);
        const right = made(one, root, bytes, [], true);
        expect(made(one, root, bytes, [], false)).toEqual(right);
        for (const pieces of [[1], cuts]) {
          const cut = made(one, root, bytes, pieces, false);
          if (right.fault === null) expect(cut).toEqual(right);
          else expect(cut.fault).toBe(right.fault);
        }
      }),
      { numRuns: Number(process.env["JSON_RUNS"] ?? 600) },
    );
  },
  60_000,
);
