/** RFC 2046 section 5.1.1, without comma and blanks, at which PHP cuts. */
const BOUNDARY = /;\s*boundary=(?:"([\w'()+./:=?-]{1,70})"|([\w'()+./:=?-]{1,70}))\s*(?:;|$)/i;

/**
 * The boundary of a multipart Content-Type, or null where there is none of one reading. PHP takes the first `boundary` that
 * it finds, though it be the end of another word; so there may be but one.
 */
export function boundaryOf(type: string): string | null {
  const match = BOUNDARY.exec(type);
  if (match === null) return null;
  const others = type.slice(0, match.index) + type.slice(match.index + match[0].length);
  return /boundary/i.test(others) ? null : (match[1] ?? match[2] ?? null);
}
