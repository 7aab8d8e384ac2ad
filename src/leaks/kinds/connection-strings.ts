import { byteSet, except, isIn } from "../byte-set.ts";
import { type Detector, type LeakKind, token } from "../kind.ts";
import { isPlaceholder } from "../named-value.ts";
import { anchorOf, MORE, parseShape } from "../shape.ts";
import type { LeakText } from "../text.ts";

const SCHEME = byteSet("A-Za-z0-9+.-");
const SCHEME_BYTES_MAX = 24;
const USER = except(byteSet(" \\t\\n\\r:/?#@\"'<>\\\\"));
const PASSWORD = except(byteSet(" \\t\\n\\r/?#@\"'<>\\\\"));
const USER_BYTES_MAX = 128;
const PASSWORD_BYTES_MAX = 256;

const STORES =
  /^(?:jdbc:)?(?:postgres(?:ql)?|mysqlx?|mariadb|mongodb|rediss?|valkeys?|amqps?|mssql|sqlserver|oracle|clickhouse|cockroachdb|couchbase|neo4j|bolt|nats|kafka|cassandra|db2|snowflake|memcached)(?:\+[a-z0-9]+)?$/;

const url = (name: string, about: string, shape: string): LeakKind => ({
  name,
  group: "connectionStrings",
  about,
  shape,
  checksum: "",
  words: [],
  scores: { shape: 60, checksum: 0, word: 0 },
  threshold: 60,
  source: "RFC 3986 section 3.2.1",
});

const STORE_URL = url(
  "database-url",
  "Address of a database or broker with a password",
  "postgres://user:password@host, likewise of others",
);
const OTHER_URL = url("url-credentials", "Any other address with a password", "scheme://user:password@host");

/** Where the bytes of a set end, at most so many; MORE where they may go on. */
function endOfRun(text: LeakText, from: number, set: ReturnType<typeof byteSet>, most: number): number | typeof MORE {
  let at = from;
  while (at < text.length && at - from < most && isIn(set, text.bytes[at])) at++;
  return at === text.length && !text.isWhole ? MORE : at;
}

const URLS: Detector = {
  kinds: [STORE_URL, OTHER_URL],
  anchors: [anchorOf(parseShape("://", false), null)],
  bytesBefore: SCHEME_BYTES_MAX,
  find(text, at, judge) {
    const userEnd = endOfRun(text, at, USER, USER_BYTES_MAX);
    if (userEnd === MORE) return MORE;
    if (text.bytes[userEnd] !== 0x3a) return null;
    const end = endOfRun(text, userEnd + 1, PASSWORD, PASSWORD_BYTES_MAX);
    if (end === MORE) return MORE;
    if (text.bytes[end] !== 0x40 || isPlaceholder(text.slice(userEnd + 1, end))) return null;
    let from = at - 3;
    while (from > text.start && at - from < SCHEME_BYTES_MAX && isIn(SCHEME, text.bytes[from - 1])) from--;
    const kind = STORES.test(text.slice(from, at - 3).toLowerCase()) ? STORE_URL : OTHER_URL;
    return judge.isReported(kind, from, false) ? { kind, from, start: at, end, tail: null } : null;
  },
};

const STRING: LeakKind = {
  ...url("connection-string", "Connection string with a password", "(;|&|?)password= or pwd=, to the next ; or &"),
  words: ["server", "host", "database", "source", "jdbc", "user", "uid", "catalog", "dsn", "connection", "driver"],
  scores: { shape: 30, checksum: 0, word: 30 },
  source: "learn.microsoft.com: SqlConnection.ConnectionString; JDBC drivers",
};
const VALUE = except(byteSet(" \\t\\n\\r;&\"'<>"));

const STRINGS: Detector = {
  kinds: [STRING],
  anchors: ["[;&?] ?password ?=", "[;&?]pwd="].map((shape) => ({
    before: null,
    steps: parseShape(shape, true).map(({ set, min }) => ({ set, isOptional: min === 0 })),
  })),
  bytesBefore: 0,
  find(text, at, judge) {
    const end = endOfRun(text, at, VALUE, PASSWORD_BYTES_MAX);
    if (end === MORE) return MORE;
    if (isPlaceholder(text.slice(at, end)) || !judge.isReported(STRING, at, false)) return null;
    return { kind: STRING, from: at, start: at, end, tail: null };
  },
};

/** The password stands behind a slash, before the host. */
const ORACLE: Detector = token("oracle-thin-url", "connectionStrings", {
  about: "Address of Oracle's thin driver with a password",
  shapes: ["jdbc:oracle:thin:[A-Za-z0-9_.$#-]{1,64}/[A-Za-z0-9_.!#$%&*+=^~?-]{1,128}@"],
  source: "docs.oracle.com: JDBC database URLs",
  isOpen: true,
});

const DSN_PASSWORD = "[A-Za-z0-9._%+'~/=!#$*^@-]";

/** It is no URL: a protocol and an address in brackets stand behind the password. */
const DSN: Detector = token("mysql-dsn", "connectionStrings", {
  about: "Data source name of Go's driver of MySQL with a password",
  shapes: ["tcp", "tcp6", "unix", "cloudsql"].map((net) => `[A-Za-z0-9_.-]{1,16}:${DSN_PASSWORD}{1,62}~~@${net}(`),
  source: "github.com/go-sql-driver/mysql: DSN",
  checksum: "the password is no placeholder",
  isChecked: (found) => !isPlaceholder(/:(.*)@/.exec(found)?.[1] ?? ""),
  scores: { shape: 30, checksum: 30 },
  isOpen: true,
});

/** How services reach their databases. */
export const CONNECTION_STRINGS: readonly Detector[] = [ORACLE, DSN, URLS, STRINGS];
