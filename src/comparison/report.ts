import { DEFAULTS } from "../support/defaults.ts";
import { excerpt } from "../support/excerpt.ts";
import type { Comparison, Difference, DifferenceKind } from "./compare.ts";
import { explainCommandLine } from "./witness.ts";

const WORDS: Readonly<Record<DifferenceKind, string>> = {
  opened: "opened",
  closed: "closed",
  loosened: "loosened",
  tightened: "tightened",
  refused: "refused otherwise",
  sent: "passed on otherwise",
  audited: "audited otherwise",
};

/** For a person: by route, then by who asks, with the two command lines that show each. */
export function comparisonText(comparison: Comparison, before: string, after: string): string {
  const { differences, changes } = comparison;
  const shown = differences.slice(0, DEFAULTS.diffDifferencesMax);
  const byRoute = new Map<string, Difference[]>();
  for (const one of shown) byRoute.set(one.route, [...(byRoute.get(one.route) ?? []), one]);
  const routes = [...byRoute].map(([route, list]) => {
    return `${excerpt(route, 200)}\n${list.map((one) => differenceText(one, before, after)).join("")}\n`;
  });
  const more = differences.length - shown.length;
  const texts = changes.slice(0, DEFAULTS.diffDifferencesMax).map(({ what, direction, details }) => {
    const word = direction === "opened" ? "added" : direction === "closed" ? "removed" : direction;
    return `  ${excerpt(what, 200)}: ${word}\n${details.map((line) => `    ${line}\n`).join("")}`;
  });
  return [
    ...routes,
    ...(more > 0 ? [`${more} more differences; --json has them all\n\n`] : []),
    ...(texts.length > 0 ? [`Changed in the text; no request shows what it does:\n${texts.join("")}\n`] : []),
    summaryLine(comparison, before, after),
  ].join("");
}

function differenceText(one: Difference, before: string, after: string): string {
  const { kind, methods, identities, witness, parts } = one;
  const was =
    kind === "sent" && one.before === one.after ? excerpt(parts.join(", "), 400) : `${one.before} → ${one.after}`;
  const named = identities.slice(0, DEFAULTS.diffIdentitiesMax);
  const rest = identities.length - named.length;
  const lines = [
    `  ${WORDS[kind]} ${methods.join(", ")}: ${was}`,
    ...named.map((who) => `    for ${excerpt(who, 400)}`),
    ...(rest > 0 ? [`    and ${rest} more`] : []),
    ...[before, after].map((policy) => `    $ ${explainCommandLine(witness, policy)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function summaryLine(
  { differences, changes, requests, leftOut, unasked, needsCertificates }: Comparison,
  before: string,
  after: string,
): string {
  const kinds = Object.entries(WORDS).flatMap(([kind, word]) => {
    const many = differences.filter((one) => one.kind === kind).length;
    return many === 0 ? [] : [`${many} ${word}`];
  });
  if (changes.length > 0) kinds.push(`${changes.length} changed in the text`);
  const found = kinds.length === 0 ? "no difference" : kinds.join(", ");
  const left = leftOut === 0 ? "" : `, ${leftOut} left out`;
  const hanging = unasked === 0 ? "" : `; ${unasked} of them hang on others, whom nobody asked`;
  const certificates = needsCertificates ? "; both let nobody in without a certificate, and none was shown" : "";
  return `${before} → ${after}: ${found}; ${requests} requests judged by both${left}${hanging}${certificates}\n`;
}

/** For machines: all of it. */
export function comparisonJson(comparison: Comparison, before: string, after: string): string {
  const { differences, changes, requests, leftOut, unasked, allowed, needsCertificates } = comparison;
  const told = differences.map(({ witness, ...one }) => ({
    ...one,
    commands: [before, after].map((policy) => explainCommandLine(witness, policy)),
  }));
  const isSame = differences.length + changes.length === 0;
  return `${JSON.stringify({ same: isSame, differences: told, changes, requests, leftOut, unasked, allowed, needsCertificates }, null, 2)}\n`;
}
