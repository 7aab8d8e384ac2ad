/** Names that are devices to Windows, with whatever extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:$|\.| )/i;
/** Controls, line ends of Unicode, and letters that are not seen or turn the order, so that `gpj.exe` looks like `exe.jpg`. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]/u;
/** What servers run, wherever it stands in a name: Apache runs `a.php.png` where it is told to by extension. */
const RUN =
  /^(?:php\d?|phtml|phar|pht|shtml|s?html?|jspx?|jspf|jsw|jsv|aspx?|asa|ashx|asmx|ascx|cer|cfml?|cgi|pl|py|rb|sh|bash|exe|com|bat|cmd|ps1|vbs|hta|htaccess|htpasswd|config|ini)$/i;
const NAME_BYTES_MAX = 255;

/** What some system would make of a file's name that is no name of a file in a folder; null where there is nothing. */
export function fileNameFault(name: string): string | null {
  for (const reading of readingsOf(name)) {
    const fault = faultOf(reading);
    if (fault !== null) return fault;
  }
  return null;
}

/** The name, and what a service makes of it that decodes it once or twice, as `..%252f`. */
function readingsOf(name: string): readonly string[] {
  const readings = [name];
  for (let last = name; readings.length < 3; readings.push(last)) {
    const decoded = last.replace(/(?:%[\dA-Fa-f]{2})+/g, (escapes) =>
      Buffer.from(escapes.replaceAll("%", ""), "hex").toString("utf8"),
    );
    if (decoded === last) break;
    last = decoded;
  }
  return readings;
}

function faultOf(name: string): string | null {
  // Full-width and similar letters are these to whoever normalises (NFKC).
  const text = name.normalize("NFKC");
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) return `more than ${NAME_BYTES_MAX} bytes`;
  if (/[/\\]/.test(text)) return "a path separator";
  if (UNSEEN.test(name)) return "a control character, or one that is not seen";
  if (/^\.|[. ]$/.test(text)) return "a dot in front, or a dot or blank at the end";
  if (text.includes(":")) return "a colon, behind which a stream or drive is named";
  if (DEVICE.test(text)) return "a device's name";
  return null;
}

/** Lower case, without its dot; empty for none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot + 1).toLowerCase();
}

/** Whether an extension before the last is one that servers run. */
export function hidesExtension(name: string): boolean {
  return name
    .split(".")
    .slice(1, -1)
    .some((part) => RUN.test(part.trim()));
}
