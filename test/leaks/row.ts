import type { LeakKind } from "../../src/leaks/kind.ts";

/** A kind as the table of docs/leaks.md has it. */
export function rowOf({ name, group, about, shape, checksum, words, scores, threshold, source }: LeakKind): string {
  const score = [
    scores.shape > 0 ? `shape ${scores.shape}` : "",
    scores.checksum > 0 ? `checksum ${scores.checksum}` : "",
    scores.word > 0 ? `word ${scores.word}` : "",
  ].filter((part) => part !== "");
  const cells = [
    `\`${name}\``,
    `\`${group}\``,
    about,
    `\`${shape.replaceAll("|", "\\|")}\``,
    checksum,
    words.join(" "),
    `${score.join(", ")} ≥ ${threshold}`,
    source,
  ];
  return `| ${cells.join(" | ")} |`;
}
