import { stringify } from "yaml";
import { REASONS, type ReasonSpec } from "../../decision/reason.ts";
import { Concealed } from "../../policy/concealed.ts";
import { HANDSHAKE } from "../../policy/tests/expect-section.ts";
import type { PolicyTest } from "../../policy/tests/policy-test.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { formatYaml } from "../../yaml/format/format.ts";
import { runTests, type TestDeps, type TestResult } from "../run-tests.ts";
import type { TestWorld } from "../test-world.ts";
import type { Operation } from "./operations.ts";
import type { Principal } from "./principals.ts";

/** What is asked, by whom. */
export interface Wanted {
  /** In comments: which command wrote it. */
  readonly command: string;
  readonly principals: readonly Principal[];
  readonly operations: readonly Operation[];
}

/**
 * A file of tests that says what the policy does today: a matrix for each title, and by themselves what is denied for no fault of
 * the client. What no request can be made of is a comment. Its tests hold as long as the policy is the same.
 */
export async function generateTests(world: TestWorld, wanted: Wanted, deps: TestDeps): Promise<Result<string, string>> {
  const { principals } = wanted;
  const operations = apart(wanted.operations);
  const count = principals.length * operations.length;
  if (count > DEFAULTS.policyTestsMax)
    return err(
      `${principals.length} callers × ${operations.length} operations; expected at most ${DEFAULTS.policyTestsMax} tests`,
    );
  const atMs = Math.floor(deps.clock.wallMs() / MINUTE_MS) * MINUTE_MS;
  const listener = listenerFor(world, principals);
  const cells = operations.flatMap((operation) =>
    principals.map((principal): Cell => ({ operation, principal, test: testOf(operation, principal, listener, atMs) })),
  );
  const { results } = await runTests(
    world,
    cells.map(({ test }) => test),
    deps,
  );
  // Once each: cells of one operation are told by it.
  const written = new Map(operations.map((operation) => [operation, withReferences(operation, world.concealed)]));
  const judged = cells.map((cell, at): Judged => {
    const operation = written.get(cell.operation) ?? cell.operation;
    return { ...cell, operation, ...verdictOf(results[at]) };
  });
  return ok(fileText(wanted, judged, { at: new Date(atMs).toISOString(), listener }));
}

const MINUTE_MS = 60_000;

/** Its tests are of the policy alone. */
const NOTHING = new Concealed();

interface Cell {
  readonly operation: Operation;
  readonly principal: Principal;
  readonly test: PolicyTest;
}

/** Tests may say the references that the policy says, in place of the values. */
function withReferences({ request, ...rest }: Operation, concealed: Concealed): Operation {
  const { path, headers, body, ...others } = request;
  const lines = Object.entries(headers ?? {}).map(([name, value]) => {
    return [name, typeof value === "string" ? concealed.in(value) : value.map((one) => concealed.in(one))] as const;
  });
  return {
    ...rest,
    request: {
      ...others,
      path: concealed.in(path),
      ...(headers === undefined ? {} : { headers: Object.fromEntries(lines) }),
      ...(body === undefined ? {} : { body: textsOf(body, concealed) }),
    },
  };
}

function textsOf(value: unknown, concealed: Concealed): unknown {
  if (typeof value === "string") return concealed.in(value);
  if (Array.isArray(value)) return value.map((member) => textsOf(member, concealed));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, textsOf(member, concealed)]));
}

interface Verdict {
  readonly kind: "allow" | "deny" | "other" | "unmade";
  /** Reason, or why there is no request. */
  readonly text: string;
}

type Judged = Cell & Verdict;

/** No two operations of one title have the same action: a matrix could not tell them apart. */
function apart(operations: readonly Operation[]): readonly Operation[] {
  const seen = new Set<string>();
  return operations.map((operation) => {
    let { title } = operation;
    for (let nth = 2; seen.has(`${operation.action} ${title}`); nth++) title = `${operation.title} (${nth})`;
    seen.add(`${operation.action} ${title}`);
    return { ...operation, title };
  });
}

/**
 * The listener that tests go to: one that asks for certificates where somebody shows some, and else one where nobody needs any.
 * Undefined where that is the first of all, which tests go to anyway.
 */
function listenerFor({ snapshot: { listeners } }: TestWorld, principals: readonly Principal[]): string | undefined {
  const modes = listeners.map(({ tls }) => tls?.clientCertificate);
  const shown = principals.some(({ as }) => typeof as === "object" && "certificate" in as);
  const asking = shown ? [modes.indexOf("optional"), modes.indexOf("required")].find((at) => at >= 0) : undefined;
  const at = asking ?? modes.findIndex((mode) => mode !== "required");
  return at <= 0 ? undefined : listeners[at]?.name;
}

function testOf({ request }: Operation, { as }: Principal, listener: string | undefined, atMs: number): PolicyTest {
  const asked = listener === undefined ? request : { ...request, listener };
  const step = { afterMs: 0, times: 1, request: asked, as, answer: null, expect: { allow: true as const } };
  return {
    name: "",
    place: { file: "", line: 1, column: 1, path: "" },
    isTodo: false,
    atMs,
    steps: [step],
    concealed: NOTHING,
  };
}

/** By what a test says that expects to be let through. */
function verdictOf(result: TestResult | undefined): Verdict {
  const [difference] = result?.failure?.differences ?? [];
  if (difference === undefined) return { kind: "allow", text: "" };
  const reason = /^deny (\w+)$/.exec(difference.found)?.[1];
  if (difference.what !== "outcome" || reason === undefined) return { kind: "unmade", text: difference.found };
  const known: Readonly<Record<string, ReasonSpec>> = REASONS;
  const isClients = reason === HANDSHAKE || known[reason]?.source === "client";
  return { kind: isClients ? "deny" : "other", text: reason };
}

interface Usual {
  readonly at: string;
  readonly listener: string | undefined;
}

function fileText({ command, principals }: Wanted, judged: readonly Judged[], usual: Usual): string {
  const identities = principals.filter(({ as }) => as !== "nobody");
  const lines = [
    `# Written by '${inOneLine(command)}': what the policy says today, for a person to read and to correct.`,
    ...(identities.length === 0
      ? []
      : ["fixtures:", "  identities:", ...identities.map(({ name, as }) => `    ${name}: ${flow(as)}`)]),
    "tests:",
  ];
  const titles = new Map<string, Judged[]>();
  for (const one of judged) titles.set(one.operation.title, [...(titles.get(one.operation.title) ?? []), one]);
  for (const [title, cells] of titles)
    lines.push(...matrixLines(title, cells, principals, usual), ...otherLines(cells, usual));
  const text = `${lines.join("\n")}\n`;
  const formatted = formatYaml(text);
  return formatted.ok ? formatted.value : text;
}

function matrixLines(
  title: string,
  cells: readonly Judged[],
  principals: readonly Principal[],
  { at, listener }: Usual,
): readonly string[] {
  const unmade = new Map(cells.filter(({ kind }) => kind === "unmade").map((cell) => [cell.operation, cell.text]));
  const comments = [...unmade].map(
    ([{ request, action }, text]) => `  # ${inOneLine(`${action} ${request.path} is not asked: ${text}`)}`,
  );
  // Where one caller is denied for another's fault, the matrix has no word for the operation.
  const whole = cells.filter(({ operation }) => !cells.some((one) => one.operation === operation && isApart(one)));
  const operations = [...new Set(whole.map(({ operation }) => operation))];
  const [first] = operations;
  if (first === undefined) return comments;
  const resource = resourceOf(first.request.path);
  const rows = principals.flatMap(({ name }) => {
    const allowed = whole.filter(({ kind, principal }) => kind === "allow" && principal.name === name);
    const names = allowed.map(({ operation }) => operation.action);
    return names.length === 0 ? [] : [`        ${name}: ${flow({ [resource]: names })}`];
  });
  return [
    ...comments,
    `  - name: ${flow(title)}`,
    `    at: ${at}`,
    ...(listener === undefined ? [] : [`    request: ${flow({ listener })}`]),
    "    matrix:",
    `      principals: ${flow(principals.map(({ name }) => name))}`,
    `      resources: ${flow({ [resource]: first.request.path })}`,
    ...actionLines(operations, first.request.path),
    ...(rows.length === 0 ? ["      allow: {}"] : ["      allow:", ...rows]),
  ];
}

function isApart({ kind }: Judged): boolean {
  return kind === "other" || kind === "unmade";
}

/** A list where the method is all that they differ in. */
function actionLines(operations: readonly Operation[], usualPath: string): readonly string[] {
  const own = operations.map(({ action, request: { path, ...rest } }): readonly [string, object] => [
    action,
    path === usualPath ? rest : { ...rest, path },
  ]);
  const isPlain = own.every(
    ([action, rest]) => Object.keys(rest).length === 1 && "method" in rest && rest.method === action,
  );
  if (isPlain) return [`      actions: ${flow(own.map(([action]) => action))}`];
  return ["      actions:", ...own.map(([action, rest]) => `        ${flow(action)}: ${flow(rest)}`)];
}

function otherLines(cells: readonly Judged[], { at, listener }: Usual): readonly string[] {
  const apart = new Set(cells.filter(({ kind }) => kind === "other").map(({ operation }) => operation));
  return cells
    .filter(({ operation, kind }) => apart.has(operation) && kind !== "unmade")
    .map(({ operation: { action, title, request }, principal, kind, text }) => {
      const expect = kind === "allow" ? "allow" : { deny: text };
      const asked = listener === undefined ? request : { ...request, listener };
      const name = `${principal.name}: ${action} ${title}`.slice(0, DEFAULTS.testNameCharactersMax);
      return `  - ${flow({ name, at, request: asked, as: principal.name, expect })}`;
    });
}

/** The last word of a path, as a name of the policy language. */
function resourceOf(path: string): string {
  const words = (path.split("?")[0] ?? "").split("/").filter((word) => /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(word));
  return words.at(-1) ?? "it";
}

/** What a collection calls a method may have lines of its own, and no comment ends at its first. */
function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}

/** In one line. */
function flow(value: unknown): string {
  return stringify(value, {
    collectionStyle: "flow",
    lineWidth: 0,
    defaultStringType: "PLAIN",
  }).trimEnd();
}
