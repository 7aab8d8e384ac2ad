/**
 * `repo:our-org/*:ref:refs/heads/main` → whether a subject fits. `*` is what stands between two of `/` and `:`, and not
 * nothing; `**` is anything. Without alternatives that overlap, so that no subject costs more than a look at each place.
 */
export function subjectMatcher(patterns: readonly string[]): (subject: string) => boolean {
  const compiled = patterns.map((pattern) => ({ pattern, parts: partsOf(pattern) }));
  return (subject) => compiled.some(({ parts }) => fits(parts, subject));
}

type Part = "*" | "**" | { readonly text: string };

function partsOf(pattern: string): readonly Part[] {
  return (pattern.match(/\*\*|\*|[^*]+/g) ?? []).map((part) => (part === "*" || part === "**" ? part : { text: part }));
}

/** Goes through the places where the pattern may stand after each part: at most as many as the subject has letters. */
function fits(parts: readonly Part[], subject: string): boolean {
  let places: ReadonlySet<number> = new Set([0]);
  for (const part of parts) {
    const next = new Set<number>();
    for (const place of places) advance(part, subject, place, next);
    if (next.size === 0) return false;
    places = next;
  }
  return places.has(subject.length);
}

function advance(part: Part, subject: string, place: number, next: Set<number>): void {
  if (typeof part === "object") {
    if (subject.startsWith(part.text, place)) next.add(place + part.text.length);
    return;
  }
  if (part === "**") next.add(place);
  for (let end = place; end < subject.length; end++) {
    if (part === "*" && (subject[end] === "/" || subject[end] === ":")) return;
    if (next.has(end + 1)) return;
    next.add(end + 1);
  }
}
