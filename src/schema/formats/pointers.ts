const BAD_ESCAPE = /~(?![01])/;
const RELATIVE = /^(?:0|[1-9]\d*)(.*)$/s;

/** RFC 6901 section 3. */
export function isJsonPointer(text: string): boolean {
  return (text === "" || text.startsWith("/")) && !BAD_ESCAPE.test(text);
}

/** Relative JSON Pointers (draft-bhutton-relative-json-pointer-00): levels up, then `#` or a pointer. */
export function isRelativeJsonPointer(text: string): boolean {
  const rest = RELATIVE.exec(text)?.[1];
  return rest !== undefined && (rest === "#" || isJsonPointer(rest));
}
