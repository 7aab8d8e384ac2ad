import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";

/** A published list of texts. Of `values` each row is one text in its readings: one of them is enough. */
export interface List {
  readonly name: string;
  readonly about: "sqli" | "xss" | "both";
  readonly kind: "attacks" | "honest";
  readonly rows: readonly (readonly string[])[];
}

/**
 * The lists that are there below a folder, which holds checkouts under the names of their repositories:
 * `libinjection` (libinjection/libinjection), `PayloadsAllTheThings` (swisskyrepo), `coreruleset` (coreruleset),
 * `xss-cheatsheet-data` (PortSwigger), `sql-injection-payload-list` and `xss-payload-list` (payloadbox), `sqlmap` (its `data`),
 * and `honest`: files with one ordinary text a line.
 */
export function listsIn(folder: string): readonly List[] {
  return [
    ...libinjection(join(folder, "libinjection", "data")),
    ...payloads(join(folder, "PayloadsAllTheThings", "SQL Injection", "Intruder"), "sqli"),
    ...payloads(join(folder, "PayloadsAllTheThings", "XSS Injection", "Intruders"), "xss"),
    ...payloads(join(folder, "sql-injection-payload-list", "Intruder"), "sqli"),
    ...payloads(join(folder, "xss-payload-list", "Intruder"), "xss"),
    ...cheatSheet(join(folder, "xss-cheatsheet-data", "json")),
    ...sqlmap(join(folder, "sqlmap", "data", "xml")),
    ...ruleTests(join(folder, "coreruleset", "tests", "regression", "tests")),
    ...honest(join(folder, "honest")),
  ].filter(({ rows }) => rows.length > 0);
}

const files = (folder: string, end: RegExp): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && end.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
    : [];

const lines = (file: string): string[] =>
  readFileSync(file, "utf8")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");

/** Percent signs and plus signs as a form has them; what is no such text stays as it is. */
export function decoded(text: string): string {
  return text.replaceAll("+", " ").replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
    const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
    const utf8 = bytes.toString("utf8");
    return utf8.includes("\ufffd") ? bytes.toString("latin1") : utf8;
  });
}

const readings = (line: string): string[] => (/%[0-9a-fA-F]{2}/.test(line) ? [line, decoded(line)] : [line]);

function libinjection(folder: string): List[] {
  return files(folder, /\.txt$/).map((file) => {
    const name = basename(file, ".txt");
    const about = name.includes("xss") ? "xss" : "sqli";
    const rows = lines(file).filter((line) => !line.startsWith("#"));
    return {
      name: `libinjection ${name}`,
      about,
      kind: name === "false_positives" ? "honest" : "attacks",
      rows: rows.map((line) => [decoded(line)]),
    };
  });
}

/** Files of these folders that hold attacks of another kind, addresses, or names alone. */
const OTHERS = /nosql|no-sql|swf|jsonp|event_handlers/i;

function payloads(folder: string, about: "sqli" | "xss"): List[] {
  return files(folder, /(?:\.txt|^[^.]+)$/)
    .filter((file) => !OTHERS.test(file))
    .map((file) => ({
      name: `${folder.includes("AllTheThings") ? "AllTheThings" : "payloadbox"} ${basename(file, ".txt")}`,
      about,
      kind: "attacks",
      rows: lines(file).map(readings),
    }));
}

function cheatSheet(folder: string): List[] {
  const codes = (value: unknown): string[] => {
    if (value === null || typeof value !== "object") return [];
    const own = "code" in value && typeof value.code === "string" ? [value.code] : [];
    return [...own, ...Object.values(value).flatMap(codes)];
  };
  return files(folder, /\.json$/).map((file) => ({
    name: `PortSwigger ${basename(file, ".json")}`,
    about: "xss",
    kind: "attacks",
    rows: codes(JSON.parse(readFileSync(file, "utf8"))).map((code) => [code]),
  }));
}

const unescaped = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
const element = (text: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^]*?)</${name}>`).exec(text)?.[1];
const elements = (text: string, name: string): string[] =>
  [...text.matchAll(new RegExp(`<${name}>([^]*?)</${name}>`, "g"))].map((match) => match[1] ?? "");

/** Each payload of sqlmap within each boundary whose clause and place it fits, with its placeholders filled. */
function sqlmap(folder: string): List[] {
  const boundaries = files(folder, /^boundaries\.xml$/)
    .flatMap((file) => elements(readFileSync(file, "utf8"), "boundary"))
    .filter((text) => element(text, "prefix") !== undefined);
  return files(join(folder, "payloads"), /\.xml$/).map((file) => {
    const rows = elements(readFileSync(file, "utf8"), "test").flatMap((test) =>
      boundaries
        .filter((boundary) => fits(test, boundary))
        .map((boundary) => {
          const request = element(test, "request") ?? "";
          const comment = element(request, "comment");
          const end = comment ?? element(boundary, "suffix") ?? "";
          const payload = element(request, "payload") || element(test, "vector") || "";
          return [filled(`1${element(boundary, "prefix") ?? ""} ${payload}${end}`)];
        }),
    );
    const unique = new Map(rows.map((row) => [row[0], row]));
    return { name: `sqlmap ${basename(file, ".xml")}`, about: "sqli", kind: "attacks", rows: [...unique.values()] };
  });
}

function numbers(list: string | undefined): number[] {
  return (list ?? "").split(",").flatMap((part) => {
    const [from, to = from] = part.split("-").map(Number);
    return Array.from({ length: (to ?? 0) - (from ?? 0) + 1 }, (_, at) => (from ?? 0) + at);
  });
}

function fits(test: string, boundary: string): boolean {
  return ["clause", "where"].every((name) => {
    const own = numbers(element(test, name));
    const its = numbers(element(boundary, name));
    return own.includes(0) || its.includes(0) || own.some((value) => its.includes(value));
  });
}

function filled(payload: string): string {
  return unescaped(payload)
    .replaceAll("[GENERIC_SQL_COMMENT]", "-- abcd")
    .replaceAll("[SLEEPTIME]", "5")
    .replaceAll("[DELIMITER_START]", "qzjkq")
    .replaceAll("[DELIMITER_STOP]", "qvxpq")
    .replaceAll("[INFERENCE]", "7321=7321")
    .replaceAll("[QUERY]", "SELECT password FROM users")
    .replaceAll("[UNION]", "UNION ALL SELECT NULL,NULL,NULL")
    .replaceAll("[CHAR]", "NULL")
    .replaceAll("[ORIGVALUE]", "1")
    .replaceAll("[ORIGINAL]", "1")
    .replaceAll("[COLSTART]", "1")
    .replaceAll("[COLSTOP]", "10")
    .replaceAll("[SPACE_REPLACE]", "qsq")
    .replaceAll("[DOLLAR_REPLACE]", "qdq")
    .replaceAll("[HASH_REPLACE]", "qhq")
    .replaceAll("[AT_REPLACE]", "qaq")
    .replace(/\[RANDNUM\d?\]/g, "7321")
    .replace(/\[RANDSTR\d?\]/g, "xKcD");
}

const RULES: ReadonlyMap<number, "sqli" | "xss"> = new Map([
  [942100, "sqli"],
  [942101, "sqli"],
  [941100, "xss"],
  [941101, "xss"],
]);

/** The rule set's own tests of the rules that use these operators: the texts of each request. */
function ruleTests(folder: string): List[] {
  const lists: List[] = [];
  for (const [rule, about] of RULES) {
    for (const file of files(folder, new RegExp(`^${rule}\\.ya?ml$`))) {
      const { tests } = parse(readFileSync(file, "utf8")) as { tests: { stages: Stage[] }[] };
      const texts = { attacks: [] as string[][], honest: [] as string[][] };
      for (const { input, output } of tests.flatMap(({ stages }) => stages)) {
        if (output.log?.expect_ids?.includes(rule) === true) texts.attacks.push(textsOf(input));
        if (output.log?.no_expect_ids?.includes(rule) === true) texts.honest.push(textsOf(input));
      }
      for (const kind of ["attacks", "honest"] as const)
        lists.push({ name: `coreruleset ${rule}`, about, kind, rows: texts[kind] });
    }
  }
  return lists;
}

interface Stage {
  readonly input: Input;
  readonly output: {
    readonly log?: { readonly expect_ids?: readonly number[]; readonly no_expect_ids?: readonly number[] };
  };
}

interface Input {
  readonly uri?: string;
  readonly data?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function textsOf(input: Input): string[] {
  const uri = input.uri ?? "";
  const pairs = [uri.slice(uri.indexOf("?") + 1), input.data ?? ""].flatMap((text) => text.split("&"));
  const arguments_ = pairs.flatMap((pair) => {
    const at = pair.indexOf("=");
    return at === -1 ? [pair] : [pair.slice(0, at), pair.slice(at + 1)];
  });
  const path = uri.split("?")[0] ?? "";
  const headers = Object.entries(input.headers ?? {}).filter(([name]) => !/^(?:host|accept.*|content-.*)$/i.test(name));
  const values = headers.flatMap(([, value]) => [String(value), ...String(value).split(/;\s*|=/)]);
  const all = [...arguments_, input.data ?? "", ...path.split("/"), path, ...values];
  return [...new Set(all.flatMap((text) => [text, decoded(text), decoded(decoded(text))]))].filter(
    (text) => text !== "",
  );
}

function honest(folder: string): List[] {
  return files(folder, /\.txt$/).map((file) => ({
    name: `honest ${basename(file, ".txt")}`,
    about: "both",
    kind: "honest",
    rows: lines(file).map((line) => [line]),
  }));
}
