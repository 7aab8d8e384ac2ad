import fc from "fast-check";

/** Injections and honest texts by grammar, in the project's own words: what each shape is made of is drawn anew in each run. */

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const joined = (...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc
    .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part)))
    .map((texts) => texts.join(""));

/** Small and capital letters mixed, as many ways around lists of words begin. */
const mixed = (word: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
    .map((capital) => [...word].map((letter, at) => (capital[at] === true ? letter.toUpperCase() : letter)).join(""));

const space = oneOf(" ", "  ", "\t", "\n", "/**/", "/* x */", " /*!*/ ", "\u000b");
const number = oneOf("1", "0", "-1", "42", "0x31", "1.5", "1e3", "9999");
const prefix = oneOf("", "1", "x", "admin", "-1", "a%", "jane@example.com");
const quote = oneOf("'", '"');
const closing = oneOf("", ")", "))");
const comment = oneOf("-- ", "--", "#", "-- -", "/*", "--+x");
const logic = fc.oneof(mixed("or"), mixed("and"), oneOf("||", "&&"));
const column = oneOf("password", "u.name", "`id`", "table_name", "1", "NULL", "concat(a,b)", "@@version");
const table = oneOf("users", "information_schema.tables", "mysql.user", "[dbo].[x]", "sysobjects");
const select = joined(mixed("select"), space, column, ",", column, space, mixed("from"), space, table);

const equal = joined(number, oneOf("=", " = ", " like ", "<>", " >= "), number);
const equalTexts = oneOf("'a'='a'", "'x' like 'x'", "'1'<>'2'");
const waiting = oneOf(
  "sleep(5)",
  "benchmark(1000000,md5(1))",
  "pg_sleep(5)",
  "dbms_pipe.receive_message('a',5)",
  "SLEEP( 5 )",
);
const statement = oneOf(
  "drop table users",
  "DROP DATABASE shop",
  "insert into users values(1,2)",
  "delete from users where 1=1",
  "exec master..xp_cmdshell 'dir'",
  "exec(@s)",
  "declare @x int",
  "waitfor delay '0:0:5'",
  "shutdown",
  "update users set admin=1",
  "select pg_sleep(5)",
  "truncate table users",
);

/** By shape: texts that are SQL where a service quotes nothing. */
export const SQL_INJECTIONS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "a tautology where a number stands": joined(number, closing, space, logic, space, fc.oneof(equal, equalTexts)),
  "a tautology behind a closed text": joined(prefix, quote, closing, space, logic, space, equal),
  "a tautology that opens the text anew": quote.chain((sign) =>
    joined(prefix, sign, space, logic, space, `${sign}1${sign}`, oneOf("=", " = ", " like "), `${sign}1`),
  ),
  "a tautology cut by a comment": joined(prefix, quote, closing, space, mixed("or"), space, number, space, comment),
  "union select where a number stands": joined(
    number,
    space,
    mixed("union"),
    space,
    oneOf("", "all ", "distinct "),
    select,
  ),
  "union select behind a closed text": joined(
    prefix,
    quote,
    closing,
    space,
    mixed("union"),
    space,
    oneOf("", "ALL "),
    select,
  ),
  "a text closed and the rest cut": joined(
    oneOf("admin", "x", ""),
    quote,
    closing,
    oneOf("", " "),
    oneOf("-- ", "#", "-- -"),
  ),
  "a second statement": joined(
    fc.oneof(number, joined(prefix, quote, closing)),
    ";",
    oneOf("", " "),
    statement,
    oneOf("--", ";", " #"),
  ),
  "a function that waits": joined(fc.oneof(number, joined(prefix, quote)), space, logic, space, waiting),
  "a query in parentheses": joined(number, oneOf("=", " and ", " or ", "-"), "(", select, ")"),
  "an order by number": joined(
    prefix,
    quote,
    space,
    mixed("order"),
    " ",
    mixed("by"),
    " ",
    oneOf("1", "10"),
    oneOf("", "-- "),
  ),
  "a choice that tells": joined(
    number,
    space,
    logic,
    space,
    mixed("case"),
    " ",
    mixed("when"),
    " ",
    equal,
    " then 1 else 0 end",
  ),
  "a file written": joined(prefix, quote, " union select 1 ", mixed("into"), " ", mixed("outfile"), " '/tmp/x'"),
};

const tagSpace = oneOf(" ", "\n", "\t", "/", " / ");
const event = oneOf(
  "onerror",
  "onload",
  "OnClick",
  "onmouseover",
  "onfocus",
  "onpointerenter",
  "ontoggle",
  "onanimationend",
);
const code = oneOf("alert(1)", "alert`1`", "top[8680439..toString(30)](1)", "fetch(`//x`)");
const equals = oneOf("=", " = ", "=\n");
const script = oneOf(
  "javascript:",
  "JaVaScRiPt:",
  "java\tscript:",
  "&#x6a;avascript:",
  "&#106avascript&colon;",
  " \u0001javascript:",
  "vbscript:",
);

/** By shape: texts that run where a service escapes nothing. */
export const SCRIPTS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "an element that runs": joined(
    oneOf("", "x", '">', "'>"),
    "<",
    fc.oneof(mixed("script"), mixed("iframe"), mixed("svg")),
    oneOf(">", " ", "/", ""),
  ),
  "an element with a handler": joined(
    oneOf("", "'>"),
    "<",
    oneOf("img", "b", "x", "details", "video"),
    tagSpace,
    oneOf("src=x ", ""),
    event,
    equals,
    code,
    oneOf(">", ""),
  ),
  "a handler behind a closed value": joined(
    oneOf("", "x", "a b"),
    oneOf('"', "'", "`"),
    oneOf(" ", "", "/"),
    event,
    equals,
    code,
  ),
  "a handler behind a value without quotes": joined("x ", event, equals, code),
  "an address that is a program": joined(
    "<a ",
    oneOf("href", "xlink:href", "HREF"),
    equals,
    oneOf('"', "'", ""),
    script,
    code,
  ),
  "a page in an address": joined(
    "<a href=",
    oneOf("data:text/html,", "data:text/html;base64,", "data:image/svg+xml,"),
    "x>",
  ),
  "a page in an attribute": joined("<i ", oneOf("srcdoc", "SRCDOC"), '="', code, '">'),
  "a style that runs": joined('<p style="width:', oneOf("expression(", "EXPRESSION ("), code, ')">'),
  "a declaration": joined(
    oneOf("", "x"),
    "<!",
    mixed("doctype"),
    " x [<!",
    mixed("entity"),
    " y SYSTEM 'file:///x'>]>",
  ),
  "a comment that only some read": joined("<!--[if ", oneOf("IE", "gte IE 4"), "]>x<![endif]-->"),
  "an address alone": joined(oneOf("javascript:", "JAVASCRIPT:", "java\nscript:", "vbscript:"), code),
};

const word = oneOf(
  ...(
    "the a and or not in is like from where order by union select all table drop set case group when case any key on off to " +
    "street coffee blue worker plan garden window paper train child winter summer river letter music Straße café niño école " +
    "größer données señor później 東京 Москва"
  ).split(" "),
);
const name = oneOf(
  "O'Brien",
  "D'Angelo",
  "Jean-Luc",
  "Müller-Lüdenscheidt",
  "N'Golo Kanté",
  "Sinéad O’Connor",
  "Ng",
  "van 't Hoff",
  "Ma'ruf",
);
const sentence = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: word },
      { weight: 1, arbitrary: name },
      oneOf("don't", "it's", "the dogs'", "3", "24", "1/2", "rock 'n' roll", '"quoted"', "(see below)", "e.g."),
    ),
    { minLength: 2, maxLength: 14 },
  )
  .filter((words) => /^[a-zA-ZÀ-ÿ]/.test(words[0] ?? ""))
  .map((words) => `${words.join(" ")}.`);

/** By sort: texts of people and programs that are neither. */
export const HONEST: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "names of people": joined(name, " ", name),
  sentences: fc
    .tuple(oneOf("Please", "We", "Our", "This", "Bitte", "Le", "El"), sentence)
    .map((parts) => parts.join(" ")),
  "identifiers and dates": fc.oneof(
    fc.uuid(),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.integer().map(String),
    fc.double({ noNaN: true }).map(String),
    fc.base64String(),
    fc.ipV4(),
    fc.ipV6(),
    // Not all that RFC 5322 allows: people have no backticks and number signs in theirs.
    fc.stringMatching(/^[a-z][a-z0-9._+-]{0,16}[a-z0-9]@[a-z]{2,12}\.(?:com|de|example)$/),
  ),
  addresses: fc.webUrl({ withQueryParameters: false }),
  queries: joined(
    "https://example.com/search?q=",
    fc.stringMatching(/^[a-z0-9]{1,12}$/),
    "&page=",
    fc.nat().map(String),
    "&sort=-name",
  ),
  "phone numbers": oneOf("+49 30 1234567", "(917) 666-0987", "555-1234", "0171/2345678", "+1 (917) 666-0987"),
  comparisons: joined(
    oneOf("a < b", "x > 3", "n <= 10", "price>5"),
    oneOf(" and ", " or ", ", "),
    oneOf("c > d", "y < z", "m = n"),
  ),
  "JSON texts": fc.json({ stringUnit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz 0123456789_") }),
  markdown: joined(
    oneOf("# ", "* ", "> ", "1. "),
    word,
    " **",
    word,
    "** [",
    word,
    "](https://example.com/) `",
    word,
    "`",
  ),
  "measures of products": joined(
    word,
    " ",
    fc.integer({ min: 1, max: 40 }).map(String),
    oneOf('" x 4"', "' 11\"", ' 3/4" wide', "-2.5 mm", " x 30 cm", " & up"),
  ),
  "markup of texts": joined(
    "<p>",
    word,
    ' <b class="big">',
    word,
    '</b> <a href="https://example.com/?a=1">',
    word,
    "</a><br/></p>",
  ),
};
