/** Literal texts of a segment and, between them, what its parameters are called: `{name}.{ext}`. */
export interface SegmentShape {
  readonly names: readonly string[];
  /** One more than names. */
  readonly literals: readonly string[];
}

/** More ways to part a segment are not tried: it has none that services agree on. */
const READINGS_MAX = 16;

/** Null where nothing stands between two parameters, so that nobody can say where one ends; or where it has none. */
export function segmentShape(template: string): SegmentShape | null {
  const parts = template.split(/\{([^{}]+)\}/);
  const names = parts.filter((_, at) => at % 2 === 1);
  const literals = parts.filter((_, at) => at % 2 === 0);
  const isParted = literals.slice(1, -1).every((literal) => literal !== "");
  return names.length > 0 && isParted && literals.every((literal) => !/[{}]/.test(literal))
    ? { names, literals }
    : null;
}

/**
 * All that services may take the parts of a decoded segment for, in the order of the names: of `a.b.png` by `{name}.{ext}`, `a.b`
 * and `png` for whoever looks for the last dot, `a` and `b.png` for whoever takes the first. Null where there are too many; none
 * where it does not fit.
 */
export function segmentReadings(text: string, { literals }: SegmentShape): readonly (readonly string[])[] | null {
  const [start = "", ...others] = literals;
  if (!text.startsWith(start)) return [];
  const readings: string[][] = [];
  const read = (from: number, at: number, values: readonly string[]): boolean => {
    const literal = others[at] ?? "";
    if (at === others.length - 1) {
      const end = text.length - literal.length;
      if (end > from && text.endsWith(literal)) readings.push([...values, text.slice(from, end)]);
      return readings.length <= READINGS_MAX;
    }
    for (let next = text.indexOf(literal, from + 1); next >= 0; next = text.indexOf(literal, next + 1))
      if (!read(next + literal.length, at + 1, [...values, text.slice(from, next)])) return false;
    return true;
  };
  return read(start.length, 0, []) ? readings : null;
}
