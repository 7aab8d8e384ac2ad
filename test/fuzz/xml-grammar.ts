import type { Random } from "./random.ts";

const NAMES = ["a", "b", "order", "p:item", "q:item", "x-1", "\u00e9t\u00e9", "_n.m"] as const;
const BREAKERS = [
  "<",
  ">",
  "&",
  "]]>",
  "--",
  "'",
  '"',
  "=",
  "/",
  " ",
  "?",
  "!",
  "<!DOCTYPE a>",
  "<?pi x?>",
  "<?xml version='1.0'?>",
  "&lt;",
  "&#0;",
  "&#x1F600;",
  "&foo;",
  "\u0001",
  "\ufffe",
  "\ufeff",
  ":",
  "xmlns='u'",
  "<![CDATA[x]]>",
  "<!-- c -->",
  "</a>",
  "<a>",
  "<a/>",
  "-",
  "]]",
  "\r\n",
  "\u00b7",
  "&#xD800;",
  "&#1114112;",
] as const;

/** A document that is right, or has one thing changed. */
export function drawXml(random: Random): string {
  const declaration = random.chance(0.3)
    ? `<?xml version="${random.mostly("1.0", ["1.1", "2.0"])}"${random.chance(0.5) ? ` encoding='${random.mostly("utf-8", ["UTF-8", "latin1", "UTF-16"], 0.2)}'` : ""}${random.chance(0.2) ? ' standalone="yes" ' : ""}?>`
    : "";
  const misc = random.chance(0.2) ? "\n<!-- before -->\n" : "";
  const text = `${declaration}${misc}${element(random, 4, ' xmlns:p="urn:p" xmlns:q="urn:q"')}${random.chance(0.2) ? "<!--after-->\n" : ""}`;
  if (random.chance(0.5)) return text;
  const at = random.below(text.length + 1);
  return text.slice(0, at) + (random.chance(0.8) ? random.pick(BREAKERS) : "") + text.slice(at + random.below(3));
}

function element(random: Random, depth: number, extra = ""): string {
  const name = random.pick(NAMES);
  const open = `<${name}${extra}${attributes(random)}${random.chance(0.2) ? "\n" : ""}`;
  if (random.chance(0.2)) return `${open}/>`;
  const parts = Array.from({ length: random.below(4) }, () => content(random, depth - 1));
  return `${open}>${parts.join("")}</${name}${random.chance(0.1) ? " " : ""}>`;
}

function attributes(random: Random): string {
  let text = "";
  if (random.chance(0.2)) text += ` xmlns="urn:${random.below(3)}"`;
  if (random.chance(0.1)) text += ` xmlns:p='urn:${random.pick(["p", "q", ""])}'`;
  if (random.chance(0.3)) text += ` id = "${random.below(9)}&amp;x"`;
  if (random.chance(0.3)) text += ` p:k='v"'`;
  if (random.chance(0.1)) text += ` q:k="\t"`;
  if (random.chance(0.1)) text += ` xml:lang="de"`;
  return text;
}

function content(random: Random, depth: number): string {
  const roll = random.below(8);
  if (roll < 4 && depth > 0) return element(random, depth);
  if (roll === 4) return "<![CDATA[ <raw> & ]] ]]>";
  if (roll === 5) return "<!-- note -->";
  return random.pick([" ", "text", "&lt;&#65;&#x42;", "\u{1F600}", "a > b", "\n", "]]"]);
}
