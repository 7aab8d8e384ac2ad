import type { Detector, LeakGroup } from "../kind.ts";
import { type Phrase, phrase } from "../phrase.ts";

const of =
  (group: LeakGroup) =>
  (name: string, about: string, source: string, phrases: readonly Phrase[]): Detector =>
    phrase(name, group, { about, source, phrases });

const sql = of("sqlErrors");
const page = of("frameworkPages");

/** A literal beginning, and what of the line it takes. */
const says = (begin: string, line: RegExp): Phrase => ({ begins: [begin], line });

const CLASS = "[\\w$.]{1,80}";
const exception = (begin: string): Phrase =>
  says(begin, new RegExp(`^${begin.replaceAll(".", "\\.")}${CLASS}(?:Exception|Error)`));

/** What databases say of a statement. */
export const SQL_ERRORS: readonly Detector[] = [
  sql("mysql-error", "Error of MySQL or MariaDB", "dev.mysql.com: server error message reference", [
    says("You have an error in your SQL", /^You have an error in your SQL syntax/),
    says("check the manual that corr", /^check the manual that corresponds to your (?:MySQL|MariaDB) server version/),
    exception("com.mysql."),
    exception("org.mariadb."),
    says("MySQLSyntaxError", /^MySQLSyntaxErrorException/),
    ...[
      "PARSE_ERROR",
      "DUP_ENTRY",
      "NO_SUCH_TABLE",
      "BAD_FIELD_ERROR",
      "ACCESS_DENIED_ERROR",
      "DATA_TOO_LONG",
      "LOCK_DEADLOCK",
    ].map((code) => says(`ER_${code}`, new RegExp(`^ER_${code}`))),
    says("Table '[A-Za-z]", /^Table '[\w.$-]{1,120}' doesn'?t exist/),
    says("Duplicate entry '", /^Duplicate entry '[^'\n]{0,120}' for key/),
    says("a foreign key constraint fa", /^a foreign key constraint fails \(/),
    says("Access denied for user '", /^Access denied for user '[^'\n]{1,80}'@/),
    says("Mysql2::Error", /^Mysql2::Error/),
    says("pymysql.err.", /^pymysql\.err\.[A-Z]\w+/),
    says("mysql.connector.errors.", /^mysql\.connector\.errors\.[A-Z]\w+/),
    says("Unknown column '", /^Unknown column '[^'\n]{1,80}' in '(?:field list|where clause|order clause|on clause)'/),
  ]),
  sql("postgres-error", "Error of PostgreSQL", "postgresql.org: error codes", [
    says("syntax error at or near", /^syntax error at or near \\?["']/),
    says("PG::[A-Z]", /^PG::[A-Z][A-Za-z]{3,40}/),
    exception("org.postgresql.util.PSQL"),
    says("psycopg", /^psycopg[23]?\.errors?\.[A-Z]\w+/),
    says("unterminated quoted string at", /^unterminated quoted string at or near/),
    says("relation [\"'\\\\]", /^relation \\?["'][\w.]{1,80}\\?["'] does not exist/),
    says("duplicate key value violates", /^duplicate key value violates unique constraint/),
    says(
      "column [\"'\\\\]",
      /^column \\?["'][\w.]{1,80}\\?["'] (?:of relation \\?["'][\w.]{1,80}\\?["'] )?does not exist/,
    ),
    says("violates [nfc][oh][tre]", /^violates (?:not-null|foreign key|check) constraint/),
    says("password authentication fa", /^password authentication failed for user/),
    says("invalid input syntax for t", /^invalid input syntax for type \w+/),
    says("current transaction is abo", /^current transaction is aborted/),
    exception("Npgsql."),
    says("asyncpg.exceptions.", /^asyncpg\.exceptions\.[A-Z]\w+/),
  ]),
  sql("sqlserver-error", "Error of SQL Server", "learn.microsoft.com: database engine errors", [
    says("Unclosed quotation mark ", /^Unclosed quotation mark after the character string/),
    says("Incorrect syntax near ", /^Incorrect syntax near (?:'|the keyword)/),
    says("Invalid object name '", /^Invalid object name '[^'\n]{1,160}'/),
    says("Invalid column name '", /^Invalid column name '[^'\n]{1,160}'/),
    says("Violation of [PU][RN]", /^Violation of (?:PRIMARY|UNIQUE) KEY constraint/),
    says("Cannot insert duplicate ke", /^Cannot insert duplicate key (?:row )?in object/),
    says("Conversion failed when con", /^Conversion failed when converting the /),
    exception("System.Data.SqlClient."),
    exception("Microsoft.Data.SqlClient."),
    exception("com.microsoft.sqlserver.jdbc."),
    says("Microsoft OLE DB Provider for", /^Microsoft OLE DB Provider for (?:SQL Server|ODBC Drivers)/),
    says("\\[Microsoft\\]\\[", /^\[Microsoft\]\[(?:ODBC|SQL)[^\]]{0,60}\]/),
  ]),
  sql("oracle-error", "Error of Oracle Database", "docs.oracle.com: database error messages", [
    says("ORA-\\d\\d\\d\\d\\d", /^ORA-\d{5}: /),
    says("PLS-\\d\\d\\d\\d\\d", /^PLS-\d{5}: /),
    exception("oracle.jdbc."),
  ]),
  sql("sqlite-error", "Error of SQLite", "sqlite.org: result codes", [
    says("sqlite3.[A-Z]", /^sqlite3\.(?:Operational|Integrity|Programming|Database)Error/),
    says("SQLite3::[A-Z]", /^SQLite3::[A-Z]\w+/),
    says("SQLITE_", /^SQLITE_(?:ERROR|CONSTRAINT|BUSY|CORRUPT|READONLY)[A-Z_]*: /),
    says("System.Data.SQLite.", /^System\.Data\.SQLite\.\w+Exception/),
    says("SqliteError: ", /^SqliteError: /),
    says("no such table: ", /^no such table: [\w.]/),
    says("no such column: ", /^no such column: [\w.]/),
    says("constraint failed: ", /^constraint failed: \w+\.\w/),
    says("unrecognized token: [\"'\\\\]", /^unrecognized token: \\?["']/),
    says("near [\"'\\\\]", /^near \\?["'][^"'\n]{1,80}["']: syntax error/),
  ]),
  sql("db2-error", "Error of Db2", "ibm.com/docs: SQL messages", [
    says("DB2 SQL [Ee]rror", /^DB2 SQL [Ee]rror: ?SQLCODE/),
    says("CLI Driver\\]\\[DB2", /^CLI Driver\]\[DB2/),
    says("SQLCODE=-", /^SQLCODE=-\d{3,5}, SQLSTATE=/),
  ]),
  sql("sqlstate-error", "Error of PDO, JDBC or an object mapper", "ISO/IEC 9075-2, SQLSTATE", [
    says("SQLSTATE\\[", /^SQLSTATE\[[0-9A-Z]{5}\]/),
    exception("java.sql."),
    says("sqlalchemy.exc.", /^sqlalchemy\.exc\.[A-Z]\w+/),
    says("\\(psycopg", /^\(psycopg[23]?\./),
    exception("org.hibernate."),
    exception("org.h2.jdbc."),
    exception("org.hsqldb."),
    exception("org.apache.derby."),
    exception("com.zaxxer.hikari."),
    exception("org.jooq.exception."),
    says("Sequelize[A-Z]", /^Sequelize(?:[A-Z][a-z]+){1,4}Error/),
    says("\\(sqlite3.", /^\(sqlite3\.\w+Error\)/),
    says("django.db.utils.", /^django\.db\.utils\.[A-Z]\w+/),
    says("Invalid `prisma.", /^Invalid `prisma\.\w+\.\w+\(\)` invocation/),
    says("Doctrine\\\\[DO]", /^Doctrine\\{1,2}(?:DBAL|ORM)\\/),
    says("QueryFailedError: ", /^QueryFailedError: /),
    says("PrismaClient[A-Z]", /^PrismaClient\w{3,40}Error/),
    says("ActiveRecord::[A-Z]", /^ActiveRecord::(?:Statement|Record|No|Connection|Query)\w+/),
  ]),
  sql("mongodb-error", "Error of MongoDB", "mongodb.com/docs: error codes", [
    says("MongoServerError", /^MongoServerError: /),
    says("E11000 dup", /^E11000 duplicate key error/),
    exception("com.mongodb."),
    says("Mongo[NSW][A-Za-z]", /^Mongo(?:Network|ServerSelection|WriteConcern|Runtime)(?:Timeout)?Error: /),
    says("pymongo.errors.", /^pymongo\.errors\.[A-Z]\w+/),
  ]),
  sql("store-error", "Error of ClickHouse, Snowflake, Cassandra, Elasticsearch or Redis", "the documentation of each", [
    says("DB::Exception: ", /^DB::Exception: /),
    says("SQL compilation error", /^SQL compilation error/),
    exception("com.datastax."),
    says("no viable alternative at i", /^no viable alternative at input '/),
    says("index_not_found_exception", /^index_not_found_exception/),
    says("search_phase_execution_exc", /^search_phase_execution_exception/),
    says("WRONGTYPE Operation", /^WRONGTYPE Operation against a key/),
  ]),
];

/** Pages that frameworks and servers show instead of an answer. */
export const FRAMEWORK_PAGES: readonly Detector[] = [
  page("django-page", "Debug page of Django", "docs.djangoproject.com: DEBUG", [
    says("DEBUG = True", /^DEBUG = True<\/code>/),
    says("Django Version:", /^Django Version:/),
    says("DisallowedHost at /", /^DisallowedHost at \//),
  ]),
  page("werkzeug-page", "Debugger of Werkzeug (Flask)", "werkzeug.palletsprojects.com: debug", [
    says("Werkzeug Debugger", /^Werkzeug Debugger/),
    says("__debugger__", /^__debugger__/),
  ]),
  page("spring-page", "Error page of Spring Boot", "docs.spring.io: error handling", [
    says("Whitelabel Error Page", /^Whitelabel Error Page/),
    exception("org.springframework."),
  ]),
  page("tomcat-page", "Error page of Tomcat or Jetty", "tomcat.apache.org: error report valve", [
    says("<h3>Apache Tomcat/", /^<h3>Apache Tomcat\/[\d.]+/),
    says("Apache Tomcat/\\d", /^Apache Tomcat\/[\d.]+/),
    says("<title>HTTP Status \\d", /^<title>HTTP Status \d{3} /),
    says("JBWEB0", /^JBWEB\d{6}/),
    says("Powered by Jetty://", /^Powered by Jetty:\/\//),
    says("<b>root cause</b>", /^<b>root cause<\/b>/i),
  ]),
  page("aspnet-page", "Error page of ASP.NET", "learn.microsoft.com: customErrors", [
    says("Server Error in '", /^Server Error in '[^'\n]{1,100}' Application/),
    says("ASP.NET Version:", /^ASP\.NET Version:/),
    says("Microsoft .NET Framework Version:", /^Microsoft \.NET Framework Version:/),
    says("IIS \\d", /^IIS \d+\.\d Detailed Error/),
    says("Microsoft-IIS/\\d", /^Microsoft-IIS\/\d+\.\d/),
    says(
      "An unhandled exception occurred ",
      /^An unhandled exception occurred (?:while processing the request|during the execution)/,
    ),
  ]),
  page("php-page", "Page of Laravel, Symfony or phpinfo", "laravel.com, symfony.com, php.net", [
    says("Whoops, looks like", /^Whoops, looks like something went wrong/),
    says("Whoops! There was an error", /^Whoops! There was an error/),
    says("Symfony Exception", /^Symfony Exception/),
    says("<title>phpinfo\\(\\)", /^<title>phpinfo\(\)/),
    says("Illuminate\\\\[A-Z]", /^Illuminate\\{1,2}[A-Z][A-Za-z\\]{3,80}Exception/),
    says("Ignition\\\\", /^Ignition\\/),
  ]),
  page("rails-page", "Debug page of Rails or Sinatra", "guides.rubyonrails.org: debugging", [
    says("Action Controller: Exception", /^Action Controller: Exception caught/),
    says("Rails.root: ", /^Rails\.root: /),
    says("ActionController::[A-Z]", /^ActionController::[A-Z]\w+/),
    says("ActionView::Template", /^ActionView::Template::Error/),
    says("Sinatra doesn", /^Sinatra doesn/),
  ]),
  page("express-page", "Error page of Express", "expressjs.com: error handling", [
    says("<pre>[A-Z]", /^<pre>(?:[A-Z][a-zA-Z]*)?Error: [^\n]{0,200}?<br> ?&nbsp; ?&nbsp;at /),
    says("<pre>[A-Z]", /^<pre>(?:[A-Z][a-zA-Z]*)?Error: [^\n]{0,200}?<br> {1,8}at /),
  ]),
  page("phoenix-page", "Debug page of Phoenix", "hexdocs.pm: Plug.Debugger", [
    says("Phoenix.[A-Z]", /^Phoenix\.\w+\.\w+Error/),
    says("Plug.[A-Z]", /^Plug\.\w+\.\w+Error/),
  ]),
  page("server-banner", "Banner of a web server with its version", "nginx.org, httpd.apache.org", [
    says("<center>nginx/\\d", /^<center>nginx\/[\d.]+/),
    says("<center>openresty/\\d", /^<center>openresty\/[\d.]+/),
    says("<address>Apache/", /^<address>Apache\/[\d.]+ [^\n<]{0,120}/),
    says("lighttpd/\\d", /^lighttpd\/\d+\.\d+\.\d+/),
    says("openresty/\\d", /^openresty\/\d+\.\d+/),
    says("Varnish cache server", /^Varnish cache server/),
  ]),
];
