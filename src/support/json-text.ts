/** What JSON writes as it is, and no terminal acts on. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** A text as JSON. A general serializer takes several times as long for what is nearly always plain. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** A decimal number from its value in units of its last digit; of integers, for a double's own text costs three times as much. */
export function fixed(units: number, digits: 1 | 3): string {
  const whole = Math.round(units);
  // Of a clock that fails.
  if (!Number.isFinite(whole)) return "null";
  const scale = digits === 1 ? 10 : 1000;
  const rest = whole % scale;
  const integer = (whole - rest) / scale;
  return rest === 0 ? `${integer}` : `${integer}.${String(rest).padStart(digits, "0")}`;
}
