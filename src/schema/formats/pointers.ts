const BAD_ESCAPE = /~(?![01])/;
const RELATIVE = /^(?:0|[1-9]\d*)(.*)$/s;
const INDEX_MANIPULATION = /^[+-](?:0|[1-9]\d*)/;

/** RFC 6901 section 3. */
export function isJsonPointer(text: string): boolean {
  return (text === "" || text.startsWith("/")) && !BAD_ESCAPE.test(text);
}

/** Relative JSON Pointers (draft-bhutton-relative-json-pointer-00): levels up, then `#`, or steps along a list and a pointer. */
export function isRelativeJsonPointer(text: string): boolean {
  const rest = RELATIVE.exec(text)?.[1];
  return rest !== undefined && (rest === "#" || isJsonPointer(rest.replace(INDEX_MANIPULATION, "")));
}
