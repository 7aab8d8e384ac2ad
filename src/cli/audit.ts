import { type Severity, severityRank } from "../decision/lint-rule.ts";
import { auditOf } from "../policy/audit/audit.ts";
import { auditJson, auditMarkdown, auditText } from "./audit-report.ts";
import { sarifText } from "./audit-sarif.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { examineFile, problemLine, type Scope } from "./load-policy.ts";
import { CONFIGMAP_OPTION } from "./policy-reader.ts";
import { withProgress } from "./progress.ts";

const OPTIONS = {
  json: { type: "boolean", default: false, text: "everything, for machines" },
  markdown: { type: "boolean", default: false, text: "for people" },
  sarif: { type: "boolean", default: false, text: "SARIF 2.1.0, for code scanning" },
  offline: {
    type: "boolean",
    default: false,
    text: "where secrets and certificates are not at hand, as in CI: those that are missing are listed",
  },
  "fail-on": {
    type: "string",
    default: "error",
    value: "error|warning|info",
    text: "from what severity on an open point ends with 1; error if absent",
  },
  ...CONFIGMAP_OPTION,
} as const satisfies Options;

/** Each form of a report, by its option; text where none is asked. */
const FORMS = { json: auditJson, markdown: auditMarkdown, sarif: sarifText } as const;

export const auditCommand: Command = {
  name: "audit",
  summary:
    "Holds a policy against the OWASP API Security Top 10 (2023): what covers each item, and what is open, where.",
  usage: "[--offline] [--json | --markdown | --sarif] [--fail-on SEVERITY] [--configmap NAME] FILE",
  options: OPTIONS,
  example:
    "postern audit --fail-on warning policy.yaml\nExit code 0: nothing of that severity is open. 1: something is, or the policy has problems. 2: used wrongly.",
  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(auditCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const [file, second] = positionals;
    if (file === undefined || second !== undefined) return misuse(auditCommand, "expected the name of a policy", io);
    const forms = (["json", "markdown", "sarif"] as const).filter((form) => values[form]);
    if (forms.length > 1)
      return misuse(auditCommand, `expected one of ${forms.map((one) => `--${one}`).join(", ")}`, io);
    const failOn = (["error", "warning", "info"] as const).find((one) => one === values["fail-on"]);
    if (failOn === undefined) return misuse(auditCommand, "--fail-on: expected error, warning or info", io);
    return withProgress(io, forms.length > 0, (told, tell) => {
      tell(file);
      const scope = values.offline ? "auditOffline" : "audit";
      return audit(file, scope, values.configmap, forms[0], failOn, told);
    });
  },
};

async function audit(
  file: string,
  scope: Scope,
  configMap: string | undefined,
  form: keyof typeof FORMS | undefined,
  failOn: Severity,
  io: CommandIo,
): Promise<number> {
  const examination = await examineFile(file, io, scope, configMap);
  const { audited, problems, absent } = examination;
  for (const problem of problems) io.stderr(problemLine(problem));
  for (const one of absent)
    io.stderr(problemLine(one, audited === null ? "cannot be audited without it: " : "not looked at: "));
  if (audited === null) return EXIT.problems;
  const found = auditOf(audited, examination);
  io.stdout((form === undefined ? auditText : FORMS[form])(file, found));
  const isGrave = ({ severity }: { severity: Severity }): boolean => severityRank(severity) >= severityRank(failOn);
  return found.items.some(({ open }) => open.some(isGrave)) ? EXIT.problems : EXIT.fine;
}
