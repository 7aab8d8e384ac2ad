/** Header lines, each with CR LF → appended to `fields` as names and values. */
export function appendFields(fields: string[], lines: string): void {
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(": ", at);
    const end = lines.indexOf("\r\n", colon);
    fields.push(lines.slice(at, colon), lines.slice(colon + 2, end));
    at = end + 2;
  }
}

/** Trailer lines → what node:http2 sends. */
export function trailerFields(lines: string): Record<string, string[]> {
  const fields: string[] = [];
  appendFields(fields, lines);
  const record: Record<string, string[]> = Object.create(null);
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? "";
    record[name] ??= [];
    record[name].push(fields[at + 1] ?? "");
  }
  return record;
}
