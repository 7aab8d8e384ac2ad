// Goal: two policies whose rules about forms with files differ are told apart by a form.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { explainCommandLine } from "../../src/comparison/witness.ts";
import { compared } from "./kit.ts";

const policy = (form: string): string =>
  `routes:\n  - { path: /upload, methods: [POST], public: true, validate: { form: { ${form} } } }\n`;
const PHOTO =
  "fields: { sku: { type: string, required: true } }, files: { photo: { required: true, types: [image/png], maxBytes: 1KiB } }";

const told = async (before: string, after: string) => (await compared(policy(before), policy(after))).differences;

test("nothing differs where nothing is another", async () => {
  expect(await told(PHOTO, PHOTO)).toEqual([]);
});

test.each([
  ["a larger file", PHOTO.replace("1KiB", "2KiB"), "loosened"],
  ["a smaller file", PHOTO.replace("1KiB", "512B"), "tightened"],
  ["another type", PHOTO.replace("image/png", "image/png, application/pdf"), "loosened"],
  ["all of a kind", PHOTO.replace("image/png", "image/*"), "loosened"],
  ["a file that may be missing", PHOTO.replace("required: true, types", "types"), "loosened"],
  ["names that end otherwise", PHOTO.replace("maxBytes", "extensions: [png], maxBytes"), "tightened"],
  ["more files", PHOTO.replace("maxBytes", "maxCount: 3, maxBytes"), "loosened"],
  ["content that nobody looks at", PHOTO.replace("maxBytes", "content: unchecked, maxBytes"), "loosened"],
  ["fields beyond", `${PHOTO}, undeclared: ignore`, "loosened"],
  ["a field that may be missing", PHOTO.replace("type: string, required: true", "type: string"), "loosened"],
  ["a shorter field", `${PHOTO}, maxFieldBytes: 16B`, "tightened"],
])("%s", async (_, after, kind) => {
  const differences = await told(PHOTO, after);
  expect(differences.map((one) => one.kind)).toContain(kind);
  const [first] = differences;
  if (first === undefined) throw new Error("nothing is told");
  expect(explainCommandLine(first.witness, "p")).toMatch(
    /^printf -- '--b\\015\\012.*' > witness\.body && postern explain --policy p -H 'content-type: multipart\/form-data; boundary=b'/,
  );
});

test("shells print the form as it was judged", async () => {
  const [first] = await told(PHOTO, PHOTO.replace("image/png", "image/png, application/pdf"));
  if (first === undefined) throw new Error("nothing is told");
  const [print = ""] = explainCommandLine(first.witness, "p").split(" > witness.body");
  for (const shell of ["sh", "bash"]) expect(execFileSync(shell, ["-c", print])).toEqual(first.witness.body);
});
