import { BAD_ESCAPE } from "./spans.ts";
import { PRIVATE, UCS } from "./uri.ts";

/** RFC 6570 section 2.1 with erratum 6937: all but controls, space and `" % < > \ ^ ` { | }`; a percent sign begins an escape. */
const LITERALS = new RegExp(`^[!#$%&'()*+,\\-.\\/0-9:;=?@A-Z\\[\\]_a-z~${UCS}${PRIVATE}]*$`, "u");
const NAME = "[A-Za-z0-9_%]+(?:\\.[A-Za-z0-9_%]+)*";
const VARIABLE = `${NAME}(?:\\*|:[1-9]\\d{0,3})?`;
const EXPRESSION = new RegExp(`^[+#./;?&=,!@|]?${VARIABLE}(?:,${VARIABLE})*$`);

/** `URI-Template` of RFC 6570 section 2. */
export function isUriTemplate(text: string): boolean {
  if (BAD_ESCAPE.test(text)) return false;
  // Between two braces that open, there is one expression, its brace that closes, and literals.
  const [first = "", ...rest] = text.split("{");
  if (!LITERALS.test(first)) return false;
  return rest.every((part) => {
    const end = part.indexOf("}");
    return end >= 0 && EXPRESSION.test(part.slice(0, end)) && LITERALS.test(part.slice(end + 1));
  });
}
