export const MIB = 1024 * 1024;

/** A text of at least so many bytes, of as many items as that takes. */
export function fill(open: string, item: (at: number) => string, close: string, bytes = MIB): string {
  const parts: string[] = [];
  for (let at = 0, length = 0; length < bytes; at++) {
    const one = item(at);
    parts.push(one);
    length += one.length + 1;
  }
  return `${open}${parts.join(",")}${close}`;
}
