import type { Place } from "../decision/verdict.ts";
import type { Accepted, Audit, AuditedItem, OpenPoint } from "../policy/audit/audit.ts";
import type { Cover } from "../policy/audit/look.ts";
import { plain } from "./load-policy.ts";

const TITLE = "OWASP API Security Top 10 (2023)";

/** Open points of an item, and routes of one that is covered, that a text names. */
const NAMED_MAX = 10;
const COVERED_NAMED_MAX = 3;

/** For a terminal. */
export function auditText(file: string, { items, isCut }: Audit): string {
  const lines = [`${file}: ${TITLE}`];
  for (const item of items) {
    lines.push("", `${item.id} ${item.title}: ${standing(item)}`);
    lines.push(...coverLines(item.covers).map((line) => `  covered: ${line}`));
    lines.push(
      ...bounded(
        item.open.map((one) => `  open: ${openLine(one)}`),
        "  ",
      ),
    );
    lines.push(
      ...bounded(
        item.accepted.map((one) => `  accepted: ${acceptedLine(one)}`),
        "  ",
      ),
    );
    if (item.always !== "") lines.push(`  always: ${item.always}`);
    lines.push(`  not seen from here: ${item.beyond}`);
  }
  if (isCut) lines.push("", CUT);
  return `${lines.map(plain).join("\n")}\n`;
}

/** For people who read it elsewhere: a table, and a section for each item. */
export function auditMarkdown(file: string, { items, isCut }: Audit): string {
  const lines = [`# ${TITLE}: ${escaped(file)}`, "", "| item | standing | open | accepted |", "|---|---|---|---|"];
  for (const item of items)
    lines.push(`| ${item.id} ${item.title} | ${standing(item)} | ${item.open.length} | ${item.accepted.length} |`);
  for (const item of items) {
    lines.push("", `## ${item.id} ${item.title}`, "");
    lines.push(...coverLines(item.covers).map((line) => `- covered: ${escaped(line)}`));
    lines.push(...item.open.map((one) => `- **open**: ${escaped(openLine(one))}`));
    lines.push(...item.accepted.map((one) => `- accepted: ${escaped(acceptedLine(one))}`));
    if (item.always !== "") lines.push(`- always: ${item.always}`);
    lines.push(`- not seen from here: ${item.beyond}`);
  }
  if (isCut) lines.push("", CUT);
  return `${lines.map(plain).join("\n")}\n`;
}

/** Everything. */
export function auditJson(file: string, { items, isCut }: Audit): string {
  const flat = <One extends { readonly place: Place }>({ place, ...one }: One) => ({ ...placeOf(place), ...one });
  const report = {
    standard: TITLE,
    policy: file,
    isCut,
    items: items.map(({ covers, open, accepted, ...item }) => ({
      ...item,
      covers: covers.map(({ item: _, ...cover }) => flat(cover)),
      open: open.map(flat),
      accepted: accepted.map(flat),
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

const CUT = "There is more open than is listed; mend some of it first.";

function standing({ coverage, routes }: AuditedItem): string {
  return routes === null ? coverage : `${coverage}, ${routes.covered} of ${routes.concerned} routes`;
}

/** One for each kind of cover. */
function coverLines(covers: readonly Cover[]): readonly string[] {
  const texts = [...new Set(covers.map(({ text }) => text))];
  return texts.map((text) => {
    const all = covers.filter((cover) => cover.text === text);
    const named = all
      .slice(0, COVERED_NAMED_MAX)
      .map(({ subject, place }) => `${subject} (${place.file}:${place.line})`);
    const rest = all.length - named.length;
    return `${text}: ${named.join(", ")}${rest === 0 ? "" : ` and ${rest} more`}`;
  });
}

function openLine({ place, severity, text, mend, rule }: OpenPoint): string {
  return `${place.file}:${place.line}:${place.column}: ${severity}: ${text}; ${mend} [${rule}]`;
}

function acceptedLine({ place, text, because, rule }: Accepted): string {
  return `${place.file}:${place.line}:${place.column}: ${text}, because ${because} [${rule}]`;
}

function bounded(lines: readonly string[], indent: string): readonly string[] {
  const rest = lines.length - NAMED_MAX;
  return rest <= 0 ? lines : [...lines.slice(0, NAMED_MAX), `${indent}and ${rest} more; --json has them all`];
}

function placeOf({ file, line, column }: Place): Pick<Place, "file" | "line" | "column"> {
  return { file, line, column };
}

/** What has a meaning in Markdown stands as it is. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#]/g, "\\$&");
}
