import type { RuleListing } from "../detection/rules/listing.ts";
import type { Snapshot } from "../policy/snapshot.ts";

/** What becomes of rules, in the words of a sentence. */
const STATUS_TEXTS: Readonly<Record<RuleListing["status"], string>> = {
  runs: "run",
  setup: "are decided by the setup",
  off: "are left out by the setup",
  held: "look for what the codec refuses before any rule",
  removed: "are removed by directives",
  left: "are not done",
};

/** How many rules search the requests of a route. */
interface RouteShare {
  readonly methods: readonly string[];
  readonly template: string;
  readonly detector: string;
  /** Searches: one for each rule and each kind of value that the contract describes. */
  readonly rules: number;
  /** Those of them that may find something. */
  readonly searched: number;
}

/** `check --rules` for people: of each detector how many rules do what, those that do not run with why; each route's share. */
export function rulesText(file: string, snapshot: Snapshot): string {
  const lines: string[] = [];
  for (const { name, listing, notDone } of snapshot.detectors) {
    const counts = Object.entries(STATUS_TEXTS).map(([status, text]) => {
      return `${listing.filter((rule) => rule.status === status).length} ${text}`;
    });
    lines.push(`${file}: detector ${name}: ${listing.length} rules: ${counts.join(", ")}`);
    for (const rule of listing) if (isTold(rule)) lines.push(ruleLine(rule));
    for (const { file: where, line, name: directive, reason } of notDone)
      lines.push(`${where}:${line}: ${directive} is not done: ${reason}`);
  }
  for (const { methods, template, detector, rules, searched } of sharesOf(snapshot)) {
    const route = `${methods.length === 0 ? "any method" : methods.join(" ")} ${template}`;
    lines.push(
      rules === 0
        ? `${file}: route ${route}: no contract closes a value, so that all rules of ${detector} search each`
        : `${file}: route ${route}: in values that its contract describes, ${searched} of ${rules} searches of ${detector} are left; all rules search what it leaves open`,
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** The same for machines, every rule among it. */
export function ruleNotes(snapshot: Snapshot): readonly Record<string, unknown>[] {
  return [
    ...snapshot.detectors.flatMap(({ name, listing, notDone }) => [
      ...listing.map((rule) => ({ severity: "rule", detector: name, ...rule })),
      ...notDone.map(({ name: directive, ...rest }) => ({ severity: "directive", detector: name, directive, ...rest })),
    ]),
    ...sharesOf(snapshot).map((share) => ({ severity: "share", ...share })),
  ];
}

/** What runs as it is written is not told one by one, and neither is what the setup leaves out. */
function isTold({ status, reason }: RuleListing): boolean {
  return status === "held" || status === "removed" || status === "left" || (status === "runs" && reason !== "");
}

function ruleLine({ file, line, id, reason }: RuleListing): string {
  return `${file}:${line}: rule ${id}: ${reason}`;
}

function sharesOf({ routeList }: Snapshot): readonly RouteShare[] {
  return routeList.flatMap(({ methods, template, checks }) =>
    checks.flatMap((check) => {
      const share = check.searches?.();
      return share === undefined ? [] : [{ methods, template, ...share }];
    }),
  );
}
