import { type Detector, token } from "../kind.ts";
import { exception, literal, type Phrase, phrase, says } from "../phrase.ts";

const trace = (name: string, about: string, source: string, phrases: readonly Phrase[]): Detector =>
  phrase(name, "stackTraces", { about, source, phrases });

/** A frame: `at`, first of its line. */
const frame = (line: RegExp): Phrase => ({ begins: ["at [A-Za-z_$<]"], line, isFirst: true });

/** Where programs were when they failed, as each language writes it. */
export const STACK_TRACES: readonly Detector[] = [
  trace("java-stack-trace", "Stack trace of Java, Kotlin or Scala", "java.lang.Throwable.printStackTrace", [
    frame(
      /^at [\w$.<>/@-]{3,200}\((?:[\w$-]{1,80}\.(?:java|kt|scala|groovy|clj)(?::\d+)?|Native Method|Unknown Source)\)/,
    ),
    says("Exception in thread [\"'\\\\]", /^Exception in thread \\?["'][^"']{1,80}["'] [\w.$]{3,120}/),
    says("clojure.lang.ExceptionInfo", /^clojure\.lang\.ExceptionInfo: /),
    // By its name alone, as Spring's and SOAP's answers have it.
    ...["java.lang.", "java.util.", "java.io.", "java.net.", "javax.", "jakarta."].map(exception),
    says("Cannot invoke [\"'\\\\]", /^Cannot invoke \\?["'][^"'\n]{3,200}\\?["'] because /),
    says("Execution error \\(", /^Execution error \([A-Z]\w{2,60}\) at /),
    says("Caused by: [a-z]", /^Caused by: [a-z][\w$]*(?:\.[\w$]+){1,12}(?:Exception|Error)/),
  ]),
  trace("dotnet-stack-trace", "Stack trace of .NET", "System.Exception.ToString", [
    frame(/^at [\w.`<>[\],+$|]{3,200}\([^()\n]{0,200}\)(?: in [^\n"]{3,160}:line \d+)/),
    frame(/^at [A-Z]\w*(?:\.[\w`<>|+]{1,80}){2,12}\([A-Z][\w.`[\]<>&*]{0,80} \w{1,60}[^()\n]{0,200}\)/),
    frame(/^at (?:System|Microsoft)\.[\w.`<>[\],+$|]{3,200}\([^()\n]{0,200}\)/),
    {
      begins: ["--- End of inner exception", "--- End of stack trace"],
      line: /^--- End of (?:inner exception stack trace|stack trace from previous location)/,
    },
    literal("Object reference not set to an instance of an object"),
    says("[\"'>]System.", /^["'>]System\.(?:\w{1,40}\.){0,6}\w{1,60}Exception["'<\\]/),
  ]),
  trace("python-traceback", "Traceback of Python", "docs.python.org: traceback", [
    says("Traceback \\(most recent", /^Traceback \(most recent call last\)/),
    { begins: ["File [\"']"], line: /^File ["'][^"'\n]{1,200}["'], line \d+, in [\w<>.]{1,80}/, isFirst: true },
    says("'NoneType' object ", /^'NoneType' object (?:has no attribute '|is not )/),
    says("unsupported operand type", /^unsupported operand type\(s\) for /),
  ]),
  trace("node-stack-trace", "Stack trace of Node.js or another JavaScript", "v8.dev: stack trace API", [
    frame(
      /^at (?:async )?(?:new )?[\w.$<>[\] ]{1,120} \((?:file:\/\/|https?:\/\/|node:|ext:|webpack:|webpack-internal:\/\/\/(?:\([a-z-]+\)\/)?|[A-Za-z]:\\|\/)[^()\n]{1,200}:\d+:\d+\)/,
    ),
    { begins: ["at [fn/]"], line: /^at (?:file:\/\/\/|node:|\/)[^()\s]{1,200}:\d+:\d+/, isFirst: true },
    { begins: ["at async [A-Za-z/f]"], line: /^at async [^\n]{1,200}:\d+:\d+\)?/, isFirst: true },
    says("Cannot read propert", /^Cannot read propert(?:y '[^'\n]{1,80}' of|ies of) (?:undefined|null)/),
    says("Cannot set propert", /^Cannot set propert(?:y '[^'\n]{1,80}' of|ies of) (?:undefined|null)/),
  ]),
  trace("php-error", "Error or stack trace of PHP", "php.net: error handling", [
    {
      begins: ["PHP Fatal error", "PHP Parse error", "PHP Warning:  ", "PHP Notice:  "],
      line: /^PHP (?:Fatal error|Parse error|Warning|Notice):/,
    },
    {
      begins: ["<b>Fatal error</b>", "<b>Parse error</b>", "<b>Warning</b>", "<b>Notice</b>", "<b>Deprecated</b>"],
      line: /^<b>[A-Z][a-z ]+<\/b>: {1,2}[^\n]{0,300}? on line <b>\d+<\/b>/,
    },
    {
      begins: ["#\\d /", "#\\d\\d /", "#\\d [A-Z]:\\\\"],
      line: /^#\d{1,2} (?:\/|[A-Z]:\\)[^\n]{1,200}\.(?:php|inc|phtml)\(\d+\): /,
    },
    says("#\\d [{]main[}]", /^#\d \{main\}/),
    says("Fatal error: Uncaught ", /^Fatal error: Uncaught [^\n]{0,300}/),
    says("Call to a member function ", /^Call to a member function \w{1,80}\(\) on /),
    says("Call to undefined [fm]", /^Call to undefined (?:function|method) [\w\\:]{1,160}\(\)/),
    says("failed to open stream: ", /^failed to open stream: [A-Z]/i),
  ]),
  trace("ruby-backtrace", "Backtrace of Ruby", "docs.ruby-lang.org: Exception", [
    says(".rb:\\d", /^\.rb:\d{1,6}:in ['`][^'`\n]{1,120}'/),
    says("undefined method [`']", /^undefined method ['`][^'`\n]{1,80}' for [^\n"]{1,80}/),
  ]),
  trace("go-panic", "Panic of Go", "pkg.go.dev: runtime", [
    says("goroutine \\d", /^goroutine \d{1,10} \[[a-z ]{3,40}(?:, \d+ minutes)?\]:/),
    says(".go:\\d", /^\.go:\d{1,6} (?:\+|\()0x[0-9a-f]+/),
    says("panic: runtime ", /^panic: runtime error: /),
    says("panic: assignment to", /^panic: assignment to entry in nil map/),
    says("http: panic serving", /^http: panic serving [^\n]{0,200}/),
    says("fatal error: all gor", /^fatal error: all goroutines are asleep/),
    says(
      "runtime error: [a-z]",
      /^runtime error: (?:index out of range|slice bounds out|invalid memory address|integer divide)/,
    ),
  ]),
  trace("rust-panic", "Panic of Rust", "doc.rust-lang.org: std::panic", [
    says("thread '", /^thread '[^'\n]{1,80}'(?: \(\d{1,10}\))? panicked at /),
    says("stack backtrace:", /^stack backtrace:/),
    says("called `[RO]", /^called `(?:Result|Option)::(?:unwrap|expect)\w*\(\)` on an? `(?:Err|None|Ok)` value/),
  ]),
  trace("elixir-error", "Error or stack trace of Elixir or Erlang", "hexdocs.pm: Exception", [
    says("\\*\\* \\([A-Z]", /^\*\* \([A-Z][\w.]{2,100}\) /),
    { begins: [".ex:\\d", ".exs:\\d"], line: /^\.exs?:\d{1,6}: [A-Za-z:(]/ },
    says("\\{file,[\"'\\\\]", /^\{file,\\?["'][^"'\n]{1,160}\.[eh]rl\\?["']\},\{line,\d+\}/),
    says(".erl, line \\d", /^\.erl, line \d+\)/),
  ]),
  trace("lua-traceback", "Stack traceback of Lua", "lua.org: debug.traceback", [
    says("stack traceback:", /^stack traceback:/),
  ]),
  trace("dart-stack-trace", "Stack trace of Dart", "api.dart.dev: StackTrace", [
    says(".dart:\\d", /^\.dart:\d{1,6}:\d{1,6}\)/),
  ]),
  trace(
    "native-stack-trace",
    "Crash or stack trace of C++, Swift, Haskell, OCaml, Julia, Crystal or Nim",
    "the documentation of each",
    [
      says("terminate called ", /^terminate called (?:after throwing an instance of|without an active exception)/),
      says("ERROR: AddressSanitizer", /^ERROR: AddressSanitizer: /),
      says("#\\d  0x", /^#\d{1,2} {1,2}0x[0-9a-f]{6,16} in /),
      says("    #\\d 0x", /^ {4}#\d 0x[0-9a-f]{1,16} in /),
      says("Fatal error: [A-Z]", /^Fatal error: [^\n]{1,200}: file [^\n]{1,160}\.swift, line \d/),
      says(".swift:\\d", /^\.swift:\d{1,6}: Fatal error: /),
      says("CallStack \\(from", /^CallStack \(from HasCallStack\)/),
      says("Fatal error: exception", /^Fatal error: exception [A-Z]\w/),
      says("Raised at [A-Z]", /^Raised at [\w.]{1,80} in file \\?["']/),
      says("Called from [A-Z]", /^Called from [\w.]{1,80} in file \\?["']/),
      says(".jl:\\d", /^\.jl:\d{1,6}(?: \[inlined\])?(?:$|[\n"'\\])/),
      says(".cr:\\d", /^\.cr:\d{1,6}:\d{1,6} in '/),
      literal("Error: unhandled exception: "),
    ],
  ),
  trace(
    "system-error",
    "Error of a system call, with its file or address",
    "man7.org: errno(3); nodejs.org: system errors",
    [
      ...["NOENT", "ACCES", "PERM", "ISDIR", "NOTDIR", "EXIST", "MFILE"].map((code) =>
        says(`E${code}: `, new RegExp(`^E${code}: [a-z ,]{5,60}, [a-z]{3,10} '`)),
      ),
      says("connect E[A-Z]", /^connect E[A-Z]{4,16} [\w./[\]:-]{1,120}/),
      says("getaddrinfo E", /^getaddrinfo E[A-Z_]{4,16} [\w./[\]:-]{1,120}/),
      says("dial [tu][cd]p", /^dial (?:tcp|udp)(?:: lookup [\w.-]{1,120}| [\w.[\]:-]{1,120}:)/),
      says("\\[Errno \\d", /^\[Errno \d{1,3}\] [A-Z]/),
      says("\\[Errno -\\d", /^\[Errno -\d\] [A-Z]/),
      says("HTTPConnectionPool\\(", /^HTTPConnectionPool\(host=/),
      says("HTTPSConnectionPool\\(", /^HTTPSConnectionPool\(host=/),
      says("Could not find file '", /^Could not find file '(?:[A-Za-z]:\\|\/)[^'\n]{1,200}'/),
    ],
  ),
  token("exception-name", "stackTraces", {
    about: "Exception of Java, .NET or Python with the name of its package, and what it says",
    shapes: [
      "[A-Za-z0-9_$.]{2,40}.[A-Za-z0-9_$]{1,38}~~Exception: ",
      "[A-Za-z0-9_$.]{2,40}.[A-Za-z0-9_$]{2,38}~~Error: ",
    ],
    source: "java.lang.Throwable.toString, System.Exception.ToString",
    isOpen: true,
  }),
  token("script-line", "stackTraces", {
    about: "Line of a script of PHP or Perl",
    shapes: [
      "[A-Za-z0-9_./\\\\-]{2,70}~~.php on line \\d{1,6}",
      "[A-Za-z0-9_./\\\\-]{2,70}~~.php:\\d{1,6}",
      "[A-Za-z0-9_./\\\\-]{2,70}~~.p[lm] line \\d{1,6}",
    ],
    source: "php.net: error handling; perldoc.perl.org: die",
    isOpen: true,
  }),
];
