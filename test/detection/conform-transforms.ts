/**
 * Holds the transformations against ModSecurity's own test cases: `npm run conform:transforms -- DIR`, a folder of the JSON
 * files of SpiderLabs/secrules-language-tests (Coraza has them in internal/transformations/testdata). Not part of the
 * tests, which need no files of others.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transformOf } from "../../src/detection/transform/index.ts";

interface Case {
  readonly name: string;
  readonly input: string;
  readonly output: string;
}

/** Some files write bytes as escapes in escapes; characters beyond ASCII are UTF-8. */
function bytesOf(text: string): string {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  return bytes.replace(/\\u0000/g, "\0").replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
}

const [folder = "."] = process.argv.slice(2);
let passed = 0;
let failed = 0;
let unknown = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  for (const { name, input, output } of JSON.parse(readFileSync(join(folder, file), "utf8")) as Case[]) {
    const transform = transformOf(name) ?? transformOf(file.replace(".json", ""));
    if (transform === undefined) {
      unknown++;
      continue;
    }
    const got = transform(bytesOf(input));
    if (got === bytesOf(output)) {
      passed++;
      continue;
    }
    failed++;
    console.log(
      `${file} ${JSON.stringify(input)}: expected ${JSON.stringify(bytesOf(output))}, got ${JSON.stringify(got)}`,
    );
  }
}
console.log(`${passed} passed, ${failed} failed, ${unknown} of transformations that are not here`);
process.exitCode = failed > 0 ? 1 : 0;
