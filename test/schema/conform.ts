import { existsSync } from "node:fs";
import { DEBIAN_FOLDER, FOLDERS, type Part, runSuite } from "./suite.ts";

/**
 * `npm run conform:schema -- FOLDER`: the published JSON Schema test suite against the engine. FOLDER is a checkout of
 * https://github.com/json-schema-org/JSON-Schema-Test-Suite; without one, where Debian's package puts it, whose release has
 * the drafts up to 07: what a folder does not have is said. Ends with 1 where a required case is missed.
 */
const folder = process.argv[2] ?? DEBIAN_FOLDER;
if (!existsSync(folder)) {
  console.error(`there is no folder '${folder}'; expected a checkout of the JSON Schema test suite`);
  process.exit(2);
}
const parts = runSuite(folder);
for (const part of parts) print(part);
const untried = FOLDERS.filter(([dialect]) => !parts.some((part) => part.dialect === dialect));
for (const [dialect, name] of untried)
  console.log(`${dialect.padEnd(12)} not tried: there is no '${folder}/tests/${name}'`);
if (untried.length > 0) console.log("expected a checkout of the suite, as npm run conform:schema -- FOLDER");
process.exitCode = parts.some(({ part, misses }) => part === "required" && misses.length > 0) ? 1 : 0;

function print({ dialect, part, passed, total, refused, misses }: Part): void {
  const more = refused.length === 0 ? "" : `, ${refused.length} refused on purpose`;
  console.log(`${dialect.padEnd(12)} ${part.padEnd(9)} ${passed} of ${total}${more}`);
  for (const { file, group, test, why } of refused) console.log(`    on purpose: ${file} › ${group} › ${test}: ${why}`);
  for (const { file, group, test, why } of misses)
    console.log(`    MISS ${file} › ${group} › ${test}: ${why.slice(0, 300)}`);
}
