import { hash } from "node:crypto";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { LINT_RULES, type LintRule, type Severity } from "../decision/lint-rule.ts";
import type { Accepted, Audit, OpenPoint } from "../policy/audit/audit.ts";
import { AUDIT_ITEMS, ITEM_OF_RULE } from "../policy/audit/items.ts";

const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  error: "error",
  warning: "warning",
  info: "note",
};

/** SARIF 2.1.0 (OASIS): one run, a result for each open point, and one that is suppressed for each that was accepted. */
export function sarifText(_file: string, { items }: Audit): string {
  const points = items.flatMap(({ open, accepted }): readonly (OpenPoint | Accepted)[] => [...open, ...accepted]);
  const rules = [...new Set(points.map(({ rule }) => rule))].sort();
  const seen = new Map<string, number>();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "postern", rules: rules.map(ruleOf) } },
        columnKind: "utf16CodeUnits",
        results: points.map((point) => resultOf(point, rules.indexOf(point.rule), seen)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf(id: LintRule) {
  const { severity, text, mend } = LINT_RULES[id];
  const item = AUDIT_ITEMS.find((one) => one.id === ITEM_OF_RULE[id]);
  if (item === undefined) throw new Error(`rule ${id} is of no item`);
  const number = Number(item.id.slice(3));
  const page = `0xa${number.toString(16)}-${item.title.toLowerCase().replaceAll(" ", "-")}`;
  return {
    id,
    shortDescription: { text },
    help: { text: mend, markdown: `${mend} (docs/auditing.md#${item.id.toLowerCase()})` },
    helpUri: `https://owasp.org/API-Security/editions/2023/en/${page}/`,
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags: ["security", `OWASP-${item.id}:2023`] },
  };
}

function resultOf(point: OpenPoint | Accepted, ruleIndex: number, seen: Map<string, number>) {
  const { rule, severity, place, text, mend } = point;
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: `${text}; ${mend}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(place.file) },
          region: { startLine: place.line, startColumn: place.column },
        },
      },
    ],
    partialFingerprints: { "posternPoint/v1": fingerprint(point, seen) },
    ...("because" in point ? { suppressions: [{ kind: "inSource", justification: point.because }] } : {}),
  };
}

/** The same for the same point of the same route, wherever its line is. */
function fingerprint({ rule, place, subject }: OpenPoint, seen: Map<string, number>): string {
  const key = JSON.stringify([rule, place.file, subject]);
  const count = seen.get(key) ?? 0;
  seen.set(key, count + 1);
  return hash("sha256", count === 0 ? key : `${key}${count}`).slice(0, 32);
}

function uriOf(file: string): string {
  return isAbsolute(file) ? pathToFileURL(file).href : file.split("/").map(encodeURIComponent).join("/");
}
