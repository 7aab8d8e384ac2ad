import { basename, resolve } from "node:path";
import { validateFilter } from "../../../src/filters/validate/compile.ts";
import {
  compiledValidate,
  type DescribedOperation,
  type DescribedRequest,
  exchangeOf,
  operationsOf,
  requestOf,
} from "./described-requests.ts";

/**
 * `npm run conform:requests -- FILE...`: for each operation of descriptions, however large, a request that is made from its schemas,
 * and for each of its parts one with a single change that its schema refuses. Says per document how many of the first pass and of the
 * second are refused, and ends with 1 where one is judged otherwise.
 */
const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("no description is named; expected npm run conform:requests -- FILE...");
  process.exit(2);
}
await validateFilter.prepare?.();
const TOLD_MAX = 20;
let missed = 0;
for (const file of files) await run(resolve(file));
process.exitCode = missed > 0 ? 1 : 0;

async function run(file: string): Promise<void> {
  const told: string[] = [];
  const count = { operations: 0, good: 0, passed: 0, mutations: 0, refused: 0 };
  const startMs = performance.now();
  for (const operation of operationsOf(file)) {
    count.operations++;
    const { title, parts } = operation;
    if (parts === null) continue;
    const judge = judgeOf(operation);
    const good = await judge(requestOf(operation, ({ example }) => example));
    count.good++;
    if (good === null) count.passed++;
    else told.push(`${title}: a good request is refused: ${good}`);
    for (const part of parts) {
      const mutation = part.compiled.mutation(part.example);
      if (mutation === null || !part.canWrite(mutation.value)) continue;
      count.mutations++;
      const bad = await judge(requestOf(operation, (one) => (one === part ? mutation.value : one.example)));
      if (bad !== null) count.refused++;
      else told.push(`${title}: ${part.name} with another value passes`);
    }
  }
  missed += told.length;
  const { operations, good, passed, mutations, refused } = count;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(
    `${basename(file)}: ${operations} operations with schemas; ${passed} of ${good} good requests pass, ${refused} of ${mutations} with a single change are refused (${seconds} s)`,
  );
  for (const line of told.slice(0, TOLD_MAX)) console.log(`    ${line}`);
}

function judgeOf(operation: DescribedOperation): (request: DescribedRequest) => Promise<string | null> {
  const { check, problems } = compiledValidate(operation);
  if (problems.length > 0) throw new Error(`${operation.title}: ${JSON.stringify(problems)}`);
  return async (request) => {
    const verdict = (await check?.evaluate(exchangeOf(request))) ?? null;
    return verdict === null ? null : `${verdict.seen}; ${verdict.wanted}`;
  };
}
