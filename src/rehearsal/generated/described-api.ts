import { basename, dirname, resolve } from "node:path";
import type { ReadFile } from "../../policy/named-files.ts";
import type { Problem } from "../../policy/snapshot.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { openTestWorld, type TestWorldInputs } from "../test-world.ts";
import { type Operation, operationsOf } from "./operations.ts";

/** Names of the two files beside a description that only exist in memory: a policy of its operations, and what it changes of it. */
const POLICY = ".postern-from.yaml";
const OVERLAY = ".postern-from-overlay.yaml";

/** Who may ask is another policy's to say. */
const WITHOUT_SECURITY = `overlay: 1.0.0
info: { title: without security, version: '1' }
actions:
  - { target: $.security, remove: true }
  - { target: '$.paths.*.*.security', remove: true }
`;

const policyOf = (file: string): string => `version: 1
service: described
listeners: [{ name: inbound, address: '127.0.0.1:8443' }]
upstreams: { app: { address: 'http://127.0.0.1:8080' } }
openapi: [{ file: ${JSON.stringify(file)}, overlay: ${OVERLAY}, public: true, undeclared: ignore }]
`;

/** Each operation of an API's description (OpenAPI 3), with a request that fits. `file`: absolute. */
export async function operationsDescribed(
  file: string,
  inputs: TestWorldInputs,
): Promise<Result<readonly Operation[], readonly Problem[]>> {
  const folder = dirname(file);
  const inMemory = new Map([
    [resolve(folder, POLICY), policyOf(basename(file))],
    [resolve(folder, OVERLAY), WITHOUT_SECURITY],
  ]);
  const readFile: ReadFile = (absolute) => {
    const text = inMemory.get(absolute);
    return text === undefined ? inputs.readFile(absolute) : ok(Buffer.from(text));
  };
  const opened = await openTestWorld(POLICY, { ...inputs, readFile, cwd: folder, describes: true });
  if (!opened.ok) return err(opened.error.map((problem) => ofDescription(problem, basename(file))));
  const routes = opened.value.described?.routes ?? [];
  opened.value.close();
  return ok(operationsOf(routes));
}

/** What is wrong with the policy that exists in memory alone is wrong with what it is made of. */
function ofDescription(problem: Problem, file: string): Problem {
  const isOurs = problem.place.file === POLICY || problem.place.file === OVERLAY;
  return isOurs ? { ...problem, place: { file, line: 1, column: 1, path: "" } } : problem;
}
