import { resolve } from "node:path";
import { Document, isMap, isSeq } from "yaml";
import { readRegularFile } from "../daemon/regular-file.ts";
import { type Finding, placeText } from "../openapi/findings.ts";
import { type Amount, type AmountFindings, amountOf } from "../policy/openapi/amounts.ts";
import type { OperationEntry } from "../policy/openapi/entries.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { Turns } from "../support/turns.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, type Options, parseOptions } from "./command.ts";
import { coverageLines, coverageReport } from "./import-coverage.ts";
import { sliceOf, type Tell, withProgress } from "./progress.ts";

const OPTIONS = {
  coverage: {
    type: "boolean",
    text: "for each operation what is enforced and what is loose, with a figure, in place of the policy",
  },
  answers: {
    type: "boolean",
    text: "with what it promises of answers, which is only noted (mode: audit) until the policy says more",
  },
  root: {
    type: "string",
    value: "FOLDER",
    text: "out of which no reference leads; the document's own folder if not given",
  },
  overlay: {
    type: "string",
    multiple: true,
    value: "FILE",
    text: "an OpenAPI Overlay that changes it; may be repeated",
  },
  "base-path": {
    type: "string",
    multiple: true,
    value: "PATH",
    text: "where its paths begin, in place of what 'servers' says; may be repeated",
  },
  ...JSON_OPTION,
} as const satisfies Options;

export const importCommand: Command = {
  name: "import",
  summary: "Prints the policy that an OpenAPI document amounts to, or how narrow it is.",
  usage: "openapi [--answers | --coverage] [--root FOLDER] [--overlay FILE]... [--base-path PATH]... [--json] FILE...",
  words: ["openapi"],
  options: OPTIONS,
  example: `postern import openapi openapi/orders.yaml > policy.yaml
postern import openapi --coverage openapi/orders.yaml
Exit code 0: printed. 1: the document has problems. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(importCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const [kind, ...files] = positionals;
    if (kind !== "openapi") return misuse(importCommand, "expected 'openapi'", io);
    // A policy is of one document; what several cover stands one behind the other.
    if (files.length === 0 || (files.length > 1 && values.coverage !== true))
      return misuse(importCommand, "expected one FILE, or several with --coverage", io);
    const bases = values["base-path"]?.map((base) => base.replace(/\/$/, "")) ?? null;
    const wrong = bases?.find((base) => base !== "" && !base.startsWith("/"));
    if (wrong !== undefined) return misuse(importCommand, `'${wrong}' is no path; expected it to start with /`, io);
    const answers = values.answers === true ? ({ mode: "audit" } as const) : null;
    const asJson = values.json === true;
    const wanted = { ...values, bases, answers };
    return withProgress(io, asJson, (told, tell) => importAll(files, wanted, told, tell));
  },
};

interface Wanted {
  readonly root?: string | undefined;
  readonly overlay?: readonly string[] | undefined;
  readonly bases: readonly string[] | null;
  readonly answers: { readonly mode: "audit" } | null;
  readonly coverage?: boolean | undefined;
  readonly json?: boolean | undefined;
}

async function importAll(files: readonly string[], wanted: Wanted, io: CommandIo, tell: Tell): Promise<number> {
  const { root = null, overlay = [], bases, answers, json = false } = wanted;
  const { sliceMs = Number.POSITIVE_INFINITY } = sliceOf(io);
  const texts: string[] = [];
  let code: number = EXIT.fine;
  for (const file of files) {
    tell(file);
    const read = (name: string): Buffer | null => readNamed(name, io);
    const steps = amountOf({ file, root, overlays: overlay }, bases, answers, read);
    const result = await new Turns(io.clock, sliceMs).run(steps);
    tellFindings(result, json, io);
    const isChanged = overlay.length > 0 && wanted.coverage !== true;
    if (isChanged) tellLine("warning", { place: { file, line: 1, column: 1 }, text: WITHOUT_OVERLAY }, json, io);
    if (result.amount === null) {
      if (!result.found.some(({ problems }) => problems.length > 0)) io.stderr(`${file}: cannot be read\n`);
      code = EXIT.problems;
    } else texts.push(textOf(result.amount, wanted.coverage === true, json));
  }
  io.stdout(json && files.length > 1 ? `[${texts.join(",")}]\n` : texts.join("\n"));
  return code;
}

function readNamed(name: string, io: CommandIo): Buffer | null {
  const content = readRegularFile(resolve(io.cwd, name), DEFAULTS.policyBytesMax);
  return content.ok ? content.value : null;
}

/** A route's schema is read from the document's file, which knows of no Overlay. */
const WITHOUT_OVERLAY =
  "routes have what the Overlay makes of the document, and the schemas that they name have not; " +
  "expected section 'openapi' with 'overlay' where it changes schemas";

function tellLine(severity: string, { place, text }: Finding, asJson: boolean, io: CommandIo): void {
  if (asJson) io.stderr(`${JSON.stringify({ severity, ...place, text })}\n`);
  else io.stderr(`${placeText(place)}: ${severity === "problem" ? "" : `${severity}: `}${text}\n`);
}

/** Problems, warnings and what is not enforced, on standard error, so that the policy can be kept as it is. */
function tellFindings({ found }: AmountFindings, asJson: boolean, io: CommandIo): void {
  const line = (severity: string, finding: Finding): void => tellLine(severity, finding, asJson, io);
  for (const { problems } of found) for (const one of problems) line("problem", one);
  for (const { warnings } of found) for (const one of warnings) line("warning", one);
  for (const { unenforced } of found) {
    for (const { what, place, count } of unenforced) {
      line("note", { place, text: `not enforced: ${what}${count === 1 ? "" : `, ${count} times`}` });
    }
  }
}

function textOf(amount: Amount, isCoverage: boolean, asJson: boolean): string {
  if (isCoverage && !asJson) return coverageLines(amount);
  if (asJson) return `${JSON.stringify(isCoverage ? coverageReport(amount) : policyOf(amount), null, 2)}\n`;
  return policyText(amount);
}

function policyOf({ entries, authenticators, service }: Amount): Record<string, unknown> {
  return {
    version: 1,
    service,
    listeners: [{ name: "inbound", address: "127.0.0.1:8080" }],
    upstreams: { app: { address: "http://127.0.0.1:3000" } },
    ...(Object.keys(authenticators).length === 0 ? {} : { authenticators }),
    routes: entries.map(({ entry }) => entry.value),
  };
}

/** As a file that can be kept: each route has beside it where it stands in the document. */
function policyText(amount: Amount): string {
  const document = new Document(policyOf(amount), { aliasDuplicateObjects: false });
  document.commentBefore = ` What ${amount.description.file} amounts to. Addresses and authenticators are to be filled in.`;
  const routes = document.get("routes");
  if (isSeq(routes)) {
    for (const [at, route] of routes.items.entries()) {
      const entry = amount.entries[at];
      if (isMap(route) && entry !== undefined) route.commentBefore = ` ${remarkOf(entry)}`;
    }
  }
  return document.toString({ lineWidth: 120, flowCollectionPadding: true });
}

function remarkOf({ operation, loose }: OperationEntry): string {
  const id = operation.id === null ? "" : `${operation.id.replace(/[^\x20-\x7e]/g, "?")}, `;
  return `${id}${placeText(operation.place)}${loose.length === 0 ? "" : `; not enforced: ${loose.join(", ")}`}`;
}
