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
    says("ER_PARSE_ERROR", /^ER_PARSE_ERROR/),
    says("Unknown column '", /^Unknown column '[^'\n]{1,80}' in '(?:field list|where clause|order clause|on clause)'/),
  ]),
  sql("postgres-error", "Error of PostgreSQL", "postgresql.org: error codes", [
    says("syntax error at or near", /^syntax error at or near ["']/),
    says("PG::[A-Z]", /^PG::[A-Z][A-Za-z]{3,40}/),
    exception("org.postgresql.util.PSQL"),
    says("psycopg", /^psycopg[23]?\.errors?\.[A-Z]\w+/),
    says("unterminated quoted string at", /^unterminated quoted string at or near/),
    says("relation [\"'][a-z_]", /^relation ["'][\w.]{1,80}["'] does not exist/),
    says("duplicate key value violates", /^duplicate key value violates unique constraint/),
  ]),
  sql("sqlserver-error", "Error of SQL Server", "learn.microsoft.com: database engine errors", [
    says("Unclosed quotation mark ", /^Unclosed quotation mark after the character string/),
    says("Incorrect syntax near ", /^Incorrect syntax near (?:'|the keyword)/),
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
    says("SequelizeDatabaseError", /^SequelizeDatabaseError/),
    says("QueryFailedError: ", /^QueryFailedError: /),
    says("PrismaClient[A-Z]", /^PrismaClient\w{3,40}Error/),
    says("ActiveRecord::[A-Z]", /^ActiveRecord::(?:Statement|Record|No|Connection|Query)\w+/),
  ]),
  sql("mongodb-error", "Error of MongoDB", "mongodb.com/docs: error codes", [
    says("MongoServerError", /^MongoServerError: /),
    says("E11000 dup", /^E11000 duplicate key error/),
    exception("com.mongodb."),
    says("pymongo.errors.", /^pymongo\.errors\.[A-Z]\w+/),
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
    says("Powered by Jetty://", /^Powered by Jetty:\/\//),
    says("<b>root cause</b>", /^<b>root cause<\/b>/i),
  ]),
  page("aspnet-page", "Error page of ASP.NET", "learn.microsoft.com: customErrors", [
    says("Server Error in '", /^Server Error in '[^'\n]{1,100}' Application/),
    says("ASP.NET Version:", /^ASP\.NET Version:/),
    says("Microsoft .NET Framework Version:", /^Microsoft \.NET Framework Version:/),
    says("IIS \\d", /^IIS \d+\.\d Detailed Error/),
    says(
      "An unhandled exception occurred ",
      /^An unhandled exception occurred (?:while processing the request|during the execution)/,
    ),
  ]),
  page("php-page", "Page of Laravel, Symfony or phpinfo", "laravel.com, symfony.com, php.net", [
    says("Whoops, looks like", /^Whoops, looks like something went wrong/),
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
  page("server-banner", "Banner of a web server with its version", "nginx.org, httpd.apache.org", [
    says("<center>nginx/\\d", /^<center>nginx\/[\d.]+/),
    says("<center>openresty/\\d", /^<center>openresty\/[\d.]+/),
    says("<address>Apache/", /^<address>Apache\/[\d.]+ [^\n<]{0,120}/),
    says("lighttpd/\\d", /^lighttpd\/\d+\.\d+\.\d+/),
  ]),
];
