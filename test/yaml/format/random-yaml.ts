// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of policies have references that look like it
import fc from "fast-check";

/** A value with how it is written, from which `write` makes lines. */
type Node =
  | { readonly kind: "inline"; readonly text: string }
  | { readonly kind: "block"; readonly header: string; readonly lines: readonly string[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [string, Node])[]; readonly look: Look }
  | { readonly kind: "list"; readonly items: readonly Node[]; readonly look: Look };

interface Look {
  readonly indent: number;
  readonly blanks: number;
  /** A list at the column of its key, or an item on the line below its dash. */
  readonly isFlat: boolean;
  readonly between: readonly string[];
  readonly behind: string;
}

const SCALARS = [
  "a",
  "'a'",
  '"a"',
  "1e3",
  '"1e3"',
  "'e3'",
  "on",
  "'on'",
  '"Yes"',
  "'y'",
  "0x10",
  "'0x10'",
  "~",
  "'~'",
  '"null"',
  "''",
  '""',
  "2026-01-01",
  "'2026-01-01'",
  "007",
  "'007'",
  "'a: b'",
  "a:b",
  "'a:b'",
  '"a#b"',
  "'a #b'",
  '"a b  c"',
  "'it''s'",
  '"it\'s"',
  '"\\u0041\\n"',
  "https://x.example/a?b=c",
  "'https://x.example/a?b=c'",
  '"[x]"',
  "'{x}'",
  '"${env:A}"',
  "'- a'",
  "'&a'",
  '"*"',
  "'!t'",
  "'%a'",
  "'@a'",
  '" a "',
  "'a '",
  "-1",
  "'-1'",
  ".5",
  "'.5'",
  "'---'",
  '"..."',
  "'a,b'",
  "'?'",
  "'<<'",
  '"a/b-c.d"',
  "!!str 1",
  "&anchor x",
  '"über"',
  "'\t'",
  "'1:20'",
]; // prettier-ignore

const inline: fc.Arbitrary<Node> = fc.constantFrom(...SCALARS).map((text) => ({ kind: "inline", text }));

/** Lists and mappings in brackets, over several lines or one. */
const flow: fc.Arbitrary<Node> = fc
  .letrec<{ value: string; list: string; map: string }>((tie) => {
    const gap = fc.constantFrom("", " ", "  ", "\n", "\n\n  ", " # in brackets\n", "\n # own\n ");
    const items = (one: fc.Arbitrary<string>) => fc.array(fc.tuple(gap, one, gap), { maxLength: 3 });
    const join = (parts: readonly (readonly string[])[], tail: string) =>
      `${parts.map((part) => part.join("")).join(",")}${tail}`;
    const scalar = fc.constantFrom(...SCALARS.filter((text) => !/^(?:a:b|https:)/.test(text)));
    return {
      value: fc.oneof({ depthSize: "small", withCrossShrink: true }, scalar, tie("list"), tie("map")),
      list: fc.tuple(items(tie("value")), gap).map(([parts, tail]) => `[${join(parts, parts.length > 0 ? tail : "")}]`),
      map: fc
        .tuple(
          items(
            fc.tuple(fc.constantFrom("k", "'k'", '"l m"', "n"), tie("value")).map(([key, value]) => `${key}: ${value}`),
          ),
          gap,
        )
        .map(([parts, tail]) => `{${join(parts, parts.length > 0 ? tail : "")}}`),
    };
  })
  .map.map((text) => ({ kind: "inline", text }));

const block: fc.Arbitrary<Node> = fc.record({
  kind: fc.constant("block" as const),
  header: fc.constantFrom("|", ">", "|-", ">-", "|+", "|2", ">2-", "| # why"),
  lines: fc.array(fc.constantFrom("text", "  deeper", "", "# no comment", "a: b", "   ", "- x"), { maxLength: 5 }),
});

const look: fc.Arbitrary<Look> = fc.record({
  indent: fc.integer({ min: 1, max: 5 }),
  blanks: fc.integer({ min: 1, max: 3 }),
  isFlat: fc.boolean(),
  between: fc.array(
    fc.constantFrom("", "# own line", "  # two in", "     # five in", "         # nine in", "#tab\there  "),
    { maxLength: 2 },
  ),
  behind: fc.constantFrom("", "", "", " # behind", "    # far behind", "\t# behind a tab"),
}); // prettier-ignore

const node = fc.letrec<{ node: Node; map: Node; list: Node }>((tie) => ({
  node: fc.oneof({ maxDepth: 4, depthSize: "small" }, inline, flow, block, tie("map"), tie("list")),
  map: fc.record({
    kind: fc.constant("map" as const),
    entries: fc.array(fc.tuple(fc.constantFrom("key", "'quoted'", '"on"', "a b", "x"), tie("node")), {
      minLength: 1,
      maxLength: 4,
    }),
    look,
  }),
  list: fc.record({
    kind: fc.constant("list" as const),
    items: fc.array(tie("node"), { minLength: 1, maxLength: 3 }),
    look,
  }),
}));

/** Texts as people might write them, nearly all of which are YAML. */
export const yamlTexts: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "---\n", "# first\n\n\n", "--- # doc\n"),
    fc.oneof(node.map, node.list),
    fc.constantFrom("", "...\n", "\n\n# last\n", "---\nb:\n- 1\n"),
  )
  .map(([head, root, tail]) => `${head}${linesOf(root, 0).join("\n")}\n${tail}`);

function linesOf(value: Node, indent: number): readonly string[] {
  if (value.kind === "map")
    return value.entries.flatMap(([key, one]) => [...below(`${key}:`, one, value.look, indent), ...value.look.between]);
  if (value.kind === "list")
    return value.items.flatMap((one) => [...below("-", one, value.look, indent), ...value.look.between]);
  return [];
}

function below(
  head: string,
  value: Node,
  { indent: step, blanks, isFlat, behind }: Look,
  indent: number,
): readonly string[] {
  const pad = " ".repeat(indent);
  const gap = " ".repeat(blanks);
  switch (value.kind) {
    case "inline":
      return [`${pad}${head}${gap}${value.text.replaceAll("\n", `\n${pad}      `)}${behind}`];
    case "block": {
      const room = " ".repeat(indent + (/\d/.test(value.header) ? 2 : step));
      return [`${pad}${head}${gap}${value.header}`, ...value.lines.map((line) => (line === "" ? "" : room + line))];
    }
    default: {
      const isCompact = head === "-" && !isFlat;
      const isAtKey = head !== "-" && value.kind === "list" && isFlat;
      const inner = linesOf(value, isAtKey ? indent : isCompact ? indent + 1 + blanks : indent + step);
      const [first = "", ...rest] = inner;
      return isCompact ? [`${pad}-${gap}${first.trimStart()}`, ...rest] : [`${pad}${head}${behind}`, ...inner];
    }
  }
}
