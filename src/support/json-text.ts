/** What JSON writes as it is, and no terminal acts on. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** A text as JSON. A general serializer takes several times as long for what is nearly always plain. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Digits behind the point, by their value; none where it is 0. */
const TENTHS = Array.from({ length: 10 }, (_, value) => (value === 0 ? "" : `.${value}`));
const THOUSANDTHS = Array.from({ length: 1000 }, (_, value) =>
  value === 0 ? "" : `.${String(value).padStart(3, "0")}`,
);

/** A decimal number from its value in units of its last digit; of integers, for a double's own text costs three times as much. */
export function fixed(units: number, digits: 1 | 3): string {
  const whole = Math.round(units);
  // Of a clock that fails.
  if (!Number.isFinite(whole)) return "null";
  const behind = digits === 1 ? TENTHS : THOUSANDTHS;
  const rest = whole % behind.length;
  return `${(whole - rest) / behind.length}${behind[rest] ?? ""}`;
}
