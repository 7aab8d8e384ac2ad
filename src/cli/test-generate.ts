import { resolve } from "node:path";
import { parse } from "yaml";
import type { TestInputs } from "../daemon/policy-tests.ts";
import { besidePolicy } from "../daemon/policy-tests.ts";
import { generateTests } from "../rehearsal/generated/generate.ts";
import { type Operation, operationsOf } from "../rehearsal/generated/operations.ts";
import { credentialHeaders, principalsOf } from "../rehearsal/generated/principals.ts";
import { openTestWorld, type TestWorld } from "../rehearsal/test-world.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type CommandIo, EXIT } from "./command.ts";
import { problemLine } from "./load-policy.ts";

export interface Sources {
  /** A file whose requests are tried in place of the policy's own operations. */
  readonly from?: string | undefined;
  /** Files of certificates, as tests name them, that callers show. */
  readonly certificate?: readonly string[] | undefined;
}

/** Writes a first file of tests for a policy. */
export async function generate(policy: string, sources: Sources, inputs: TestInputs, io: CommandIo): Promise<number> {
  const opened = await openTestWorld(policy, { ...inputs, describes: true });
  if (!opened.ok) {
    for (const problem of opened.error) io.stderr(problemLine(problem));
    return EXIT.problems;
  }
  const world = opened.value;
  const written = await textFor(world, policy, sources, inputs, io.cwd);
  world.close();
  if (written.ok) io.stdout(written.value);
  else io.stderr(written.error);
  return written.ok ? EXIT.fine : EXIT.problems;
}

async function textFor(
  world: TestWorld,
  policy: string,
  { from, certificate: certificates = [] }: Sources,
  inputs: TestInputs,
  cwd: string,
): Promise<Result<string, string>> {
  const { described } = world;
  if (described === null) return err(`${policy}: there is nothing to describe\n`);
  const readFile = besidePolicy(policy, inputs);
  const headers = credentialHeaders(described);
  const operations =
    from === undefined ? ok(operationsOf(described.routes)) : await operationsFrom(from, headers, inputs, cwd);
  if (!operations.ok) return operations;
  const unread = certificates.map((file) => ({ file, read: readFile(file) })).find(({ read }) => !read.ok);
  if (unread !== undefined && !unread.read.ok) return err(`${unread.file}: ${unread.read.error}\n`);
  const options = [
    ...(from === undefined ? [] : ["--from", from]),
    ...certificates.flatMap((file) => ["--certificate", file]),
  ];
  const command = ["postern test --generate", ...options, policy].join(" ");
  const principals = principalsOf(described, readFile, certificates);
  const { clock, timers } = inputs;
  const text = await generateTests(
    world,
    { command, principals, operations: operations.value },
    { clock, timers, readFile },
  );
  return text.ok ? text : err(`${policy}: ${text.error}\n`);
}

/** Of a description of an API, or of a collection of Postman. */
async function operationsFrom(
  from: string,
  credentials: ReadonlySet<string>,
  inputs: TestInputs,
  cwd: string,
): Promise<Result<readonly Operation[], string>> {
  const file = resolve(cwd, from);
  const content = inputs.readFile(file);
  if (!content.ok) return err(`${from}: ${content.error}\n`);
  const value = parsed(content.value);
  const { isCollection, operationsIn } = await import("../rehearsal/generated/postman.ts");
  if (isCollection(value)) {
    const found = operationsIn(value, credentials);
    return found.ok ? found : err(`${from}: ${found.error}\n`);
  }
  if (typeof value !== "object" || value === null || !("openapi" in value))
    return err(`${from}: expected a description (OpenAPI 3) or a collection of Postman (v2.0 or v2.1)\n`);
  const { operationsDescribed } = await import("../rehearsal/generated/described-api.ts");
  const found = await operationsDescribed(file, inputs);
  return found.ok ? found : err(found.error.map((problem) => problemLine(problem)).join(""));
}

/** JSON is YAML as well; undefined where it is neither. */
function parsed(content: Buffer): unknown {
  try {
    return parse(content.toString(), { maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}
