// Goal: errors of usual software are found in each way that it writes them, also as JSON within JSON, and words of people are not.
import { describe, expect, test } from "vitest";
import { LEAK_KINDS } from "../../src/leaks/catalogue.ts";
import { LeakStream } from "../../src/leaks/leak-stream.ts";
import { Scanner } from "../../src/leaks/scanner.ts";

const GROUPS = ["stackTraces", "sqlErrors", "frameworkPages"];
const scanner = new Scanner(new Set(LEAK_KINDS.filter(({ group }) => GROUPS.includes(group))));

function kindsIn(text: string, format: "json" | "text"): readonly string[] {
  const kinds = new Set<string>();
  const stream = new LeakStream(scanner, format, ({ kind }) => {
    kinds.add(kind.name);
    return "pass";
  });
  stream.take(Buffer.from(text));
  stream.end();
  return [...kinds];
}

const WRITTEN: Readonly<Record<string, readonly string[]>> = {
  "java-stack-trace": [
    "boom\n\tat com.acme.Orders.find(Orders.java:42)\n\tat java.base/java.lang.Thread.run(Thread.java:833)",
    'Exception in thread "main" java.lang.IllegalStateException: no',
    "Caused by: org.postgresql.util.PSQLException: ERROR: no",
    "boom\n\tat com.acme.OrdersKt.main(Orders.kt:7)",
    "clojure.lang.ExceptionInfo: boom {}",
  ],
  "exception-name": [
    "java.lang.NullPointerException: Cannot invoke",
    "com.fasterxml.jackson.databind.exc.InvalidFormatException: Cannot deserialize",
    "java.lang.OutOfMemoryError: Java heap space",
    "System.NullReferenceException: Object reference not set to an instance of an object.",
    "Microsoft.EntityFrameworkCore.DbUpdateException: An error occurred",
    "requests.exceptions.ConnectionError: refused",
  ],
  "dotnet-stack-trace": [
    "boom\n   at Acme.Orders.Controller.Get(Int32 id) in /src/Orders.cs:line 42",
    "boom\n   at Acme.Orders.Controller.Get(Int32 id, String name)",
    "boom\n   at System.Linq.ThrowHelper.ThrowNoElementsException()",
  ],
  "python-traceback": ['Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>'],
  "node-stack-trace": [
    "TypeError: no\n    at Orders.find (/app/src/orders.js:10:5)",
    "TypeError: no\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
    "Error: no\n    at handler (ext:core/01_core.js:10:2)",
    "Error: no\n    at f (https://app.example.org/main.js:10:5)",
  ],
  "php-error": [
    "PHP Fatal error:  Uncaught Exception: no in /var/www/a.php:3",
    "Fatal error: Uncaught TypeError: f(): Argument #1 must be of type int",
    "#0 /var/www/index.php(12): f()\n#1 {main}",
  ],
  "script-line": [
    "Warning: Undefined variable $x in /var/www/html/a.php on line 3",
    "thrown in /srv/app/a.php:12",
    "Died at /srv/app/x.pl line 12.",
    "Can't locate object method at /srv/app/Y.pm line 3.",
  ],
  "ruby-backtrace": ["app/models/order.rb:12:in `find'", "NoMethodError (undefined method `id' for nil:NilClass)"],
  "go-panic": [
    "goroutine 1 [running]:",
    "panic: runtime error: index out of range [3] with length 2",
    "panic: assignment to entry in nil map",
    "http: panic serving 127.0.0.1:5000: no",
    "fatal error: all goroutines are asleep - deadlock!",
  ],
  "rust-panic": ["thread 'main' panicked at src/main.rs:2:5:", "thread 'main' (4711) panicked at src/main.rs:2:5:"],
  "elixir-error": ["** (RuntimeError) boom", "(phoenix 1.7.0) lib/phoenix/router.ex:3: Phoenix.Router.call/2"],
  "lua-traceback": ["stack traceback:\n\tmain.lua:3: in main chunk"],
  "dart-stack-trace": ["#0      main (package:app/main.dart:3:5)"],
  "mysql-error": [
    "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version",
    "Unknown column 'foo' in 'field list'",
    "Table 'shop.orders' doesn't exist",
    "Duplicate entry '7' for key 'orders.PRIMARY'",
    "ER_DUP_ENTRY: Duplicate",
    "Cannot add or update a child row: a foreign key constraint fails (`shop`.`orders`)",
    "Access denied for user 'root'@'localhost' (using password: YES)",
    "Mysql2::Error: no",
    "pymysql.err.ProgrammingError: no",
  ],
  "postgres-error": [
    'syntax error at or near "SELEC"',
    'column "foo" does not exist',
    'relation "orders" does not exist',
    'duplicate key value violates unique constraint "orders_pkey"',
    'null value in column "name" of relation "orders" violates not-null constraint',
    'update on table "orders" violates foreign key constraint "fk"',
    'password authentication failed for user "shop"',
    'invalid input syntax for type integer: "abc"',
    "Npgsql.PostgresException (0x80004005): 42P01",
  ],
  "sqlserver-error": [
    "Invalid object name 'dbo.Orders'.",
    "Invalid column name 'foo'.",
    "Violation of PRIMARY KEY constraint 'PK_Orders'.",
    "Conversion failed when converting the varchar value 'abc' to data type int.",
    "System.Data.SqlClient.SqlException (0x80131904): Login failed",
  ],
  "oracle-error": ["ORA-00942: table or view does not exist"],
  "sqlite-error": [
    "SQLITE_ERROR: no such table: orders",
    "no such column: foo",
    "UNIQUE constraint failed: orders.id",
    'near "SELEC": syntax error',
  ],
  "db2-error": ["DB2 SQL Error: SQLCODE=-204, SQLSTATE=42704"],
  "sqlstate-error": [
    "SQLSTATE[42S02]: Base table or view not found",
    "org.h2.jdbc.JdbcSQLSyntaxErrorException: no",
    "SequelizeUniqueConstraintError: Validation error",
    "Invalid `prisma.user.findUnique()` invocation:",
    "Doctrine\\DBAL\\Exception\\TableNotFoundException: no",
    "django.db.utils.ProgrammingError: no",
  ],
  "mongodb-error": [
    "MongoServerError: E11000 duplicate key error collection",
    "MongoNetworkError: connect ECONNREFUSED",
  ],
  "store-error": [
    "Code: 60. DB::Exception: Table shop.orders does not exist.",
    "com.datastax.driver.core.exceptions.InvalidQueryException: no",
    "WRONGTYPE Operation against a key holding the wrong kind of value",
    '{"type":"index_not_found_exception"}',
  ],
  "django-page": ["Django Version:\n5.1"],
  "werkzeug-page": ["<title>KeyError // Werkzeug Debugger</title>"],
  "spring-page": ["<h1>Whitelabel Error Page</h1>"],
  "tomcat-page": ["<title>HTTP Status 500 – Internal Server Error</title>", "<h3>Apache Tomcat/9.0.31</h3>"],
  "aspnet-page": ["<h1>Server Error in '/' Application.</h1>", "Microsoft-IIS/10.0"],
  "php-page": ["Whoops! There was an error.", "Illuminate\\Database\\QueryException"],
  "rails-page": ["<title>Action Controller: Exception caught</title>"],
  "phoenix-page": ["Phoenix.Router.NoRouteError at GET /x", "Plug.Conn.InvalidQueryError"],
  "server-banner": ["<center>openresty/1.19.9.1</center>", "<p>Varnish cache server</p>"],
};

describe.each(Object.entries(WRITTEN))("%s", (kind, texts) => {
  test.each(texts)("%s", (text) => {
    const inJson = JSON.stringify({ message: text });
    expect(kindsIn(text, "text"), "as text").toContain(kind);
    expect(kindsIn(inJson, "json"), "in JSON").toContain(kind);
    expect(kindsIn(JSON.stringify({ body: inJson }), "json"), "in JSON within JSON").toContain(kind);
  });
});

test("every kind of these groups stands here", () => {
  const kinds = LEAK_KINDS.filter(({ group }) => GROUPS.includes(group)).map(({ name }) => name);
  expect(kinds.filter((name) => WRITTEN[name] === undefined)).toEqual(["express-page"]);
});

test.each([
  "Error: the order was not found",
  "OrderNotFoundException: order 7",
  "ORDER_NO_SHOW, ORDER_DUP_OK, CUSTOMER_ACCESS",
  "Meet us at Acme.Orders (second floor) at 10:30",
  "at Berlin(Mitte), at lunch (12:30:45)",
  "Table 'oak' is sold out; duplicate entry of a customer",
  "The column of the relation does not exist any more",
  "near the station: turn left",
  "Invalid column name; expected one of a, b",
  "Access denied for user jane",
  "see the goroutine guide, page 3, on line 12",
  "https://example.org/index.php?page=2, https://example.org/a.php",
  "Warning: slippery when wet",
  "** (see the note below)",
  "version 1.2.3: Error: 7 retries",
  "files main.dart, router.ex and order.rb were changed",
  "the exception: Mondays. No exceptions: none",
  "example.com: Error: cannot be reached",
])("is what people write: %s", (text) => {
  expect(kindsIn(JSON.stringify({ message: text, list: [text] }), "json")).toEqual([]);
  expect(kindsIn(text, "text")).toEqual([]);
});
