/**
 * Values of the parameter `name` in a query (with its leading `?`), as latin1 of their bytes. Names and values are decoded as
 * forms are: services find `%6Bey` under `key`. `name` is ASCII.
 */
export function queryValues(query: string, name: string): string[] {
  const values: string[] = [];
  for (let from = 1; from < query.length; ) {
    const end = endOfPair(query, from);
    if (nameAt(query, from, end) === name) values.push(valueAt(query, from, end));
    from = end + 1;
  }
  return values;
}

/** Decoded names of the parameters of a query, each as often as it stands there. */
export function queryNames(query: string): string[] {
  const names: string[] = [];
  for (let from = 1; from < query.length; ) {
    const end = endOfPair(query, from);
    names.push(nameAt(query, from, end));
    from = end + 1;
  }
  return names;
}

/** Decoded values of the parameters of a query, in the order of their names. */
export function allQueryValues(query: string): string[] {
  const values: string[] = [];
  for (let from = 1; from < query.length; ) {
    const end = endOfPair(query, from);
    values.push(valueAt(query, from, end));
    from = end + 1;
  }
  return values;
}

/** The query without the parameters of these names; what is left stays as it was. */
export function withoutParameters(query: string, names: ReadonlySet<string>): string {
  let left = "";
  let isWhole = true;
  for (let from = 1; from < query.length; ) {
    const end = endOfPair(query, from);
    if (names.has(nameAt(query, from, end))) isWhole = false;
    else left += `${left === "" ? "?" : "&"}${query.slice(from, end)}`;
    from = end + 1;
  }
  return isWhole ? query : left;
}

/** The query with the pairs of each name (in ASCII) that it does not have. */
export function withParameters(query: string, pairs: ReadonlyMap<string, string>): string {
  const names = new Set(queryNames(query));
  const missing = [...pairs].filter(([name]) => !names.has(name)).map(([, text]) => text);
  if (missing.length === 0) return query;
  return query.length <= 1 ? `?${missing.join("&")}` : `${query}&${missing.join("&")}`;
}

function endOfPair(query: string, from: number): number {
  const end = query.indexOf("&", from);
  return end < 0 ? query.length : end;
}

function nameAt(query: string, from: number, end: number): string {
  const equals = query.indexOf("=", from);
  return decode(query.slice(from, equals < 0 || equals > end ? end : equals));
}

function valueAt(query: string, from: number, end: number): string {
  const equals = query.indexOf("=", from);
  return equals < 0 || equals > end ? "" : decode(query.slice(equals + 1, end));
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll("+", " ")
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Its pairs as they stand in it; empty ones too. */
export function queryPairs(query: string): readonly string[] {
  return query.length <= 1 ? [] : query.slice(1).split("&");
}

/** The name in one of these, decoded as above. */
export function decodedName(pair: string): string {
  return nameAt(pair, 0, pair.length);
}
