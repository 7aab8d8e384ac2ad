/**
 * Names of files that a server runs whatever stands behind them in the path, which the script gets as PATH_INFO
 * (RFC 3875 section 4.1.5): `/admin.php/x` is served by `/admin.php`.
 *
 * - php, php3 to php8, pht, phtml, phar: the built-in server and, by `cgi.fix_pathinfo` = 1, CGI and FPM
 *   (php.net/manual, core ini directives); endings as Debian and PHP's own packages hand them to the handler.
 * - cgi, fcgi, fpl, and pl, py, rb, sh: Apache's cgi-script handler takes PATH_INFO by default (httpd, AcceptPathInfo).
 * - asp, aspx, ashx, asmx, svc: IIS and ASP.NET (HttpRequest.PathInfo).
 * - cfm, cfml, cfc: ColdFusion and Lucee map `*.cfm/*` in their web.xml.
 *
 * Not here: jsp, do, action. A servlet container looks at the ending of the last segment (Servlet 6.0, section 12.2).
 */
/** Front controllers are scripts of these, which route PATH_INFO as a path of their own. */
const CONTROLLER_ENDINGS = "php[3-8]?|pht|phtml|phar|f?cgi|fpl|aspx?|ashx|asmx|svc|cfml?|cfc";
/** Names of source files, too: APIs over repositories and archives have them in the middle of honest paths. */
const SOURCE_ENDINGS = "pl|py|rb|sh";
const ENDINGS = `${CONTROLLER_ENDINGS}|${SOURCE_ENDINGS}`;
const SCRIPT = new RegExp(`\\.(?:${ENDINGS})$`, "i");
const SCRIPT_WITH_MORE = new RegExp(`/[^/]*\\.(?:${ENDINGS})(?=/)`, "i");
const CONTROLLER_WITH_MORE = new RegExp(`/[^/]*\\.(?:${CONTROLLER_ENDINGS})(?=/)`, "i");

/** The first script of a path that has more behind it, as a match from the slash before its name; else null. */
export function scriptWithin(path: string): RegExpExecArray | null {
  // Most dots stand in the last segment, and the expression costs more than the whole look-up.
  const dot = path.indexOf(".");
  return dot >= 0 && path.includes("/", dot) ? SCRIPT_WITH_MORE.exec(path) : null;
}

/** The first of them that may be a front controller. */
export function controllerWithin(path: string): RegExpExecArray | null {
  return CONTROLLER_WITH_MORE.exec(path);
}

/** Whether a segment of a path is the name of a script. */
export function isScriptName(segment: string): boolean {
  return SCRIPT.test(segment);
}
