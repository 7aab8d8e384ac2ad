import { crc32 } from "node:zlib";
import { LEAK_KINDS } from "../../src/leaks/catalogue.ts";
import { isMod97 } from "../../src/leaks/checksums.ts";
import { parseShape } from "../../src/leaks/shape.ts";

/** A text with something in it that a kind is to find. Well-known prefixes are put together as they are needed. */
export interface Sample {
  readonly kind: string;
  readonly text: string;
  readonly leaked: string;
}

/** The same numbers each time; not secret, not real. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A text of a shape, as `parseShape` has it. */
export function textOf(shape: string, seed = 7): string {
  const random = randomOf(seed);
  return parseShape(shape, false)
    .flatMap(({ set, min, max }) => {
      const members = [...set.keys()].filter((byte) => set[byte] === 1);
      const count = min === max ? min : Math.min(max, Math.max(min, 1));
      return Array.from({ length: count }, () =>
        String.fromCharCode(members[Math.floor(random() * members.length)] ?? 0),
      );
    })
    .join("");
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function withCrc62(prefix: string): string {
  const body = textOf("[A-Za-z0-9]{30}");
  let rest = crc32(body);
  let check = "";
  for (let at = 0; at < 6; at++) {
    check = (BASE62[rest % 62] ?? "") + check;
    rest = Math.floor(rest / 62);
  }
  return prefix + body + check;
}

function grafanaToken(): string {
  const token = `${["glsa", ""].join("_")}${textOf("[A-Za-z0-9]{32}")}`;
  return `${token}_${crc32(token).toString(16).padStart(8, "0")}`;
}

function ibanOf(country: string, digits: number): string {
  const rest = textOf(`\\d{${digits}}`);
  for (let check = 2; check < 99; check++) {
    const iban = `${country}${`${check}`.padStart(2, "0")}${rest}`;
    if (isMod97(iban)) return iban;
  }
  throw new Error("no check digits");
}

const b64 = (value: string): string => Buffer.from(value).toString("base64");
const b64url = (value: string): string => Buffer.from(value).toString("base64url");
const pem = (label: string): string => `-----BEGIN ${label}-----`;
const jwt = `${b64url('{"alg":"HS256","typ":"JWT"}')}.${b64url('{"sub":"nobody"}')}.${textOf("[A-Za-z0-9_-]{43}")}`;

/** By kind: a text, and what of it is not to be seen. */
const WRITTEN: Readonly<Record<string, readonly [text: string, leaked: string]>> = {
  "github-token": [withCrc62(["ghp", ""].join("_")), ""],
  "npm-token": [withCrc62(["npm", ""].join("_")), ""],
  "grafana-token": [grafanaToken(), ""],
  iban: [ibanOf("DE", 18), ""],
  jwt: [jwt, ""],
  "card-visa": ["4111111111111111", ""],
  "card-mastercard": ["5555555555554444", ""],
  "card-amex": ["378282246310005", ""],
  "card-discover": ["6011111111111117", ""],
  "card-diners": ["30569309025904", ""],
  "card-jcb": ["3530111333300000", ""],
  "card-unionpay": ["6200000000000005", ""],
  "card-maestro": ["card 6759649826438453", "6759649826438453"],
  "card-mir": ["2200000000000004", ""],
  "card-rupay": ["6069 8500 0000 0011", ""],
  "us-ssn": ["ssn: 123-45-6789", "123-45-6789"],
  "us-ssn-digits": ["ssn 123456789", "123456789"],
  "ee-isikukood": ["isikukood 37605030299", "37605030299"],
  "lv-personas-kods": ["161175-19997", ""],
  "hr-oib": ["oib 33392005961", "33392005961"],
  "rs-jmbg": ["jmbg 0101006500006", "0101006500006"],
  "gr-amka": ["amka 01013099997", "01013099997"],
  "at-svnr": ["svnr 1237 010180", "1237 010180"],
  "is-kennitala": ["kennitala 120174-3399", "120174-3399"],
  "dk-cpr": ["cpr 070761-4285", "070761-4285"],
  "il-id": ["teudat zehut 123456782", "123456782"],
  "jp-my-number": ["mynumber 123456789018", "123456789018"],
  "th-id": ["1-2345-67890-12-1", ""],
  "ru-inn": ["inn 500100732259", "500100732259"],
  "ru-snils": ["112-233-445 95", ""],
  "ua-rnokpp": ["rnokpp 1759013776", "1759013776"],
  "kz-iin": ["iin 900101300017", "900101300017"],
  "ec-cedula": ["cedula 1710034065", "1710034065"],
  "ae-id": ["784-1980-1234567-8", ""],
  "sa-id": ["iqama 1058529940", "1058529940"],
  "au-medicare": ["medicare 2123 45670 1", "2123 45670 1"],
  "ie-pps": ["ppsn 1234567FA", "1234567FA"],
  "sg-nric": ["nric S1234567D", "S1234567D"],
  "hk-hkid": ["A123456(3)", ""],
  "tw-id": ["national A123456789", "A123456789"],
  "cz-rodne-cislo": ["710319/2745", ""],
  "ca-sin": ["sin: 046 454 286", "046 454 286"],
  "br-cpf": ["111.444.777-35", ""],
  "ar-cuit": ["20-12345678-6", ""],
  "fr-nir": ["1 84 12 76 451 089 46", ""],
  "be-nrn": ["85.07.30-033.28", ""],
  "de-tax-id": ["Steuer 86095742719", "86095742719"],
  "nl-bsn": ["bsn=111222333", "111222333"],
  "pl-pesel": ["pesel: 44051401359", "44051401359"],
  "pt-nif": ["nif 123456789", "123456789"],
  "se-personnummer": ["personnummer 811228-9874", "811228-9874"],
  "no-fodselsnummer": ["fnr 01010750160", "01010750160"],
  "ro-cnp": ["cnp 1800101221144", "1800101221144"],
  "bg-egn": ["egn 7523169263", "7523169263"],
  "tr-tckn": ["tckn 10000000146", "10000000146"],
  "ch-ahv": ["756.9217.0769.85", ""],
  "gb-nhs": ["nhs 943 476 5919", "943 476 5919"],
  "za-id": ["idNumber: 8001015009087", "8001015009087"],
  "in-aadhaar": ["aadhaar 2341 2341 2346", "2341 2341 2346"],
  "au-tfn": ["tfn 123 456 782", "123 456 782"],
  "kr-rrn": ["800101-1234560", ""],
  "it-codice-fiscale": ["RSSMRA85T10A562S", ""],
  "es-dni": ["dni: 12345678Z", "12345678Z"],
  "fi-hetu": ["131052-308T", ""],
  "cn-resident-id": ["11010519491231002X", ""],
  "mx-curp": ["HEGG560427MVZRRL04", ""],
  "cl-rut": ["12.345.678-5", ""],
  "gb-nino": ["nino: AB123456C", "AB123456C"],
  email: ["jane.doe+x@mail.example.org", ""],
  phone: ["+4930901820", ""],
  "pem-private-key": [`${pem("RSA PRIVATE KEY")}\nMIIEow\n-----END RSA PRIVATE KEY-----`, ""],
  "openssh-private-key": [`${pem("OPENSSH PRIVATE KEY")}\nb3BlbnNzaA\n-----END OPENSSH PRIVATE KEY-----`, ""],
  "pgp-private-key": [`${pem("PGP PRIVATE KEY BLOCK")}\n\nlQVYBF\n-----END PGP PRIVATE KEY BLOCK-----`, ""],
  "base64-private-key": [b64(`${pem("PRIVATE KEY")}\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n`).replace(/=+$/, ""), ""],
  "putty-private-key": ["PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: ", ""],
  "jwk-private-key": [`"d":"${textOf("[A-Za-z0-9_-]{43}")}`, ""],
  "password-field": ['"password":"corr3ct horse"', "corr3ct horse"],
  "basic-credentials": [`authorization: Basic ${b64("jane:pass word")}`, `Basic ${b64("jane:pass word")}`],
  "bearer-token": [`Authorization: Bearer ${textOf("[A-Za-z0-9]{40}")}`, `Bearer ${textOf("[A-Za-z0-9]{40}")}`],
  "mysql-dsn": ["dsn app:hunter22@tcp(db.internal:3306)/orders", "app:hunter22@tcp("],
  "card-track": ["%B4111111111111111^DOE/JANE^2512101", "%B4111111111111111^DOE/JANE^2512101"],
  "aws-secret-access-key": [`"secretAccessKey":"${textOf("[A-Za-z0-9/+]{40}")}"`, textOf("[A-Za-z0-9/+]{40}")],
  "secret-by-name": [`"clientSecret":"${textOf("[A-Za-z0-9]{32}")}"`, textOf("[A-Za-z0-9]{32}")],
  "database-url": ["postgres://app:hunter22@db.internal/app", "app:hunter22"],
  "url-credentials": ["https://jane:hunter22@intranet.example/x", "jane:hunter22"],
  "connection-string": ["Server=db;User=app;Password=hunter22;", "hunter22"],
  "java-stack-trace": ["boom\n\tat com.example.Order.load(Order.java:42)", "at com.example.Order.load(Order.java:42)"],
  "dotnet-stack-trace": [
    "boom\n   at System.String.Substring(Int32 startIndex)",
    "at System.String.Substring(Int32 startIndex)",
  ],
  "python-traceback": ["Traceback (most recent call last):", "Traceback (most recent call last)"],
  "node-stack-trace": ["Error\n    at Object.load (/srv/app/order.js:12:5)", "at Object.load (/srv/app/order.js:12:5)"],
  "php-error": ["#0 /var/www/order.php(12): load()", "#0 /var/www/order.php(12): "],
  "ruby-backtrace": ["order.rb:12:in 'load'", ".rb:12:in 'load'"],
  "go-panic": ["goroutine 1 [running]:", ""],
  "rust-panic": ["thread 'main' panicked at src/main.rs", "thread 'main' panicked at "],
  "elixir-error": ["** (RuntimeError) boom", "** (RuntimeError) "],
  "lua-traceback": ["stack traceback:", ""],
  "dart-stack-trace": ["#0 main (file:///app/main.dart:3:5)", ".dart:3:5)"],
  "exception-name": ["java.lang.IllegalStateException: no", "java.lang.IllegalStateException: "],
  "script-line": ["boom in /srv/app/order.php on line 12", "/srv/app/order.php on line 12"],
  "native-stack-trace": [
    "terminate called after throwing an instance of 'X'",
    "terminate called after throwing an instance of",
  ],
  "system-error": ["connect ECONNREFUSED 10.0.0.5:5432", "connect ECONNREFUSED 10.0.0.5:5432"],
  "other-sql-error": ["[Teradata Database] [Error 3807]", "[Teradata Database]"],
  "coldfusion-page": ["Error Occurred While Processing Request", ""],
  "store-error": ["DB::Exception: Table shop.orders", "DB::Exception: "],
  "phoenix-page": ["Phoenix.Router.NoRouteError at GET /x", "Phoenix.Router.NoRouteError"],
  "mysql-error": ["You have an error in your SQL syntax", ""],
  "postgres-error": ['syntax error at or near "x"', 'syntax error at or near "'],
  "sqlserver-error": ["Unclosed quotation mark after the character string", ""],
  "oracle-error": ["ORA-00933: SQL command not properly ended", "ORA-00933: "],
  "sqlite-error": ["sqlite3.OperationalError: near", "sqlite3.OperationalError"],
  "db2-error": ["DB2 SQL Error: SQLCODE=-104", "DB2 SQL Error: SQLCODE"],
  "sqlstate-error": ["SQLSTATE[42000]: Syntax error", "SQLSTATE[42000]"],
  "mongodb-error": ["E11000 duplicate key error", ""],
  "django-page": ["Django Version:", ""],
  "werkzeug-page": ["Werkzeug Debugger", ""],
  "spring-page": ["Whitelabel Error Page", ""],
  "tomcat-page": ["<h3>Apache Tomcat/9.0.1</h3>", "<h3>Apache Tomcat/9.0.1"],
  "aspnet-page": ["Server Error in '/' Application.", "Server Error in '/' Application"],
  "php-page": ["Whoops, looks like something went wrong", ""],
  "rails-page": ["Action Controller: Exception caught", ""],
  "express-page": ["<pre>Error: boom<br> &nbsp; &nbsp;at load", "<pre>Error: boom<br> &nbsp; &nbsp;at "],
  "server-banner": ["<center>nginx/1.27.0</center>", "<center>nginx/1.27.0"],
};

/** One for each kind, and one for each of its shapes. */
export const SAMPLES: readonly Sample[] = LEAK_KINDS.flatMap(({ name, shape, words }) => {
  const written = WRITTEN[name];
  if (written !== undefined) return [{ kind: name, text: written[0], leaked: written[1] || written[0] }];
  return shape.split(" or ").map((one) => {
    const leaked = textOf(one);
    return { kind: name, text: words.length === 0 ? leaked : `${words[0]} ${leaked}`, leaked };
  });
});
