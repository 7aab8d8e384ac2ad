// Goal: no reader of JSON that clients use finds a field in an answer that a rule has removed from it.
// Method: answers of JSON and of what nearly is, as a service that hides a field would write them; those that leave are read by
// Node, Python, PHP, Ruby and Perl, as leniently as they can.
import { get } from "node:http";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { oddJson } from "../fixtures/odd-json.ts";
import { type PolicyPorts, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { PYTHON, runProgram, works } from "../fixtures/program.ts";
import { closeAll } from "../fixtures/proxy.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: hiding
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
routes:
  - { path: /**, public: true, response: { fields: { remove: ['$..ssn'] } } }
`;

/** What hides a member from one reader or another. */
const HIDING = [
  '{"ssn":1}',
  '{"a":{"ssn":1},"a":{"ssn":2}}',
  '{"s\\u0073n":1,"\\u0073\\u0073\\u006e":2}',
  '{"s\\sn":1}',
  '{"ssn\\u0000":1}',
  '{"ss\\\nn":1}',
  '{"a":"\\",\\"b\\":","ssn":1}',
  '{"a":"\\\\","ssn":1}',
  '{"a":"\\","ssn":1,"b":"x"}',
  '{"a":1,/*","*/"ssn":1}',
  '{"a":1//"\n,"ssn":1}',
  '{"a":1#"\n,"ssn":1}',
  "{'ssn':1}",
  "{ssn:1}",
  '{"a":\'"\',"ssn":1,"b":\'"\'}',
  '{"a":1,"ssn":1,}',
  '{,"ssn":1}',
  '{"a":1 "ssn":1}',
  '{"a":1;"ssn":1}',
  '{"ssn"=1}',
  '{"ssn"=>1}',
  '{"a":"x\n","ssn":1}',
  '{"a":"\xff","ssn":1}',
  '{"\xc0\xf3sn":1}',
  '{"a":[1,2,{"ssn":1}],"b":[{"ssn":1},{"ssn":2},3]}',
  '{"a":[}],"ssn":1}',
  '{"a":1}{"ssn":1}',
  '{"a":1}\x00{"ssn":1}',
  '\xef\xbb\xbf{"ssn":1}',
  '\xff\xfe{\x00"\x00s\x00s\x00n\x00"\x00:\x001\x00}\x00',
  '{\x00"\x00s\x00s\x00n\x00"\x00:\x001\x00}\x00',
  '\x00{\x00"\x00s\x00s\x00n\x00"\x00:\x001\x00}',
  '{\x00\x00\x00"\x00\x00\x00s\x00\x00\x00s\x00\x00\x00n\x00\x00\x00"\x00\x00\x00:\x00\x00\x001\x00\x00\x00}\x00\x00\x00',
  '+ACI-ssn+ACI-: {"a":1}',
  `${'{"a":'.repeat(200)}{"ssn":1}${"}".repeat(200)}`,
  `${"[".repeat(300)}{"ssn":1}${"]".repeat(300)}`,
  `{"a":"${"x".repeat(40_000)}","ssn":1}`,
  `{${'"a":1,'.repeat(3_000)}"ssn":1}`,
  `{"${"n".repeat(20_000)}":1,"ssn":1}`,
  '{"a":NaN,"ssn":Infinity}',
  '{"a":0x10,"ssn":1}',
  '{"a":"\u0085","ssn":1}',
  '{\x0b"ssn":1}',
  '{\xa0"ssn":1}',
  '{"ssn" \x0c:1}',
];
const bodies: readonly Buffer[] = [
  ...HIDING.map((text) => Buffer.from(text, "latin1")),
  ...fc.sample(oddJson, { seed: 14, numRuns: 500 }),
];

/** Each prints the numbers of those lines, bodies as base64, in which it finds a member of the name. */
const READERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  python: [
    PYTHON,
    "-c",
    `
import base64, json, sys
sys.setrecursionlimit(10000)
for n, line in enumerate(sys.stdin):
    found = []
    def pairs(read):
        found.extend(name for name, _ in read if name == "ssn")
        return dict(read)
    try: json.loads(base64.b64decode(line), object_pairs_hook=pairs, strict=False)
    except (ValueError, RecursionError): continue
    if found: print(n)
`,
  ],
  php: [
    "php",
    "-r",
    `
function has($value) {
  if (!is_array($value)) return false;
  foreach ($value as $name => $inner) if ($name === "ssn" || has($inner)) return true;
  return false;
}
for ($n = 0; ($line = fgets(STDIN)) !== false; $n++) {
  $text = base64_decode($line);
  foreach ([0, JSON_INVALID_UTF8_IGNORE] as $flags) if (has(json_decode($text, true, 4096, $flags))) { echo "$n\\n"; break; }
}
`,
  ],
  ruby: [
    "ruby",
    "-rjson",
    "-rbase64",
    "-e",
    `
def has(value)
  case value
  when Hash then value.key?("ssn") || value.values.any? { |inner| has(inner) }
  when Array then value.any? { |inner| has(inner) }
  else false
  end
end
STDIN.each_line.with_index do |line, n|
  begin
    puts n if has(JSON.parse(Base64.decode64(line).force_encoding("UTF-8"), allow_nan: true, max_nesting: false))
  rescue StandardError, SystemStackError
  end
end
`,
  ],
  perl: [
    "perl",
    "-MJSON::PP",
    "-MMIME::Base64",
    "-e",
    `
sub has {
  my ($value) = @_;
  if (ref $value eq "HASH") { return 1 if exists $value->{ssn}; for (values %$value) { return 1 if has($_) } }
  if (ref $value eq "ARRAY") { for (@$value) { return 1 if has($_) } }
  return 0;
}
no warnings "recursion";
my $json = JSON::PP->new->latin1->relaxed->loose->allow_nonref->allow_singlequote->allow_barekey->max_depth(4096);
for (my $n = 0; my $line = <STDIN>; $n++) {
  my $value = eval { $json->decode(decode_base64($line)) };
  print "$n\\n" if has($value);
}
`,
  ],
};

function numbersOf(printed: string): readonly number[] {
  return printed
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}

let postern: Postern;
/** What leaves of each; empty where it is refused. */
const left: Buffer[] = [];

beforeAll(async () => {
  const service = await startService(({ url }, response) => {
    const body = bodies[Number(url?.slice(1))] ?? Buffer.alloc(0);
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
    return true;
  });
  postern = await startPostern(service.port, policy);
  for (const at of bodies.keys()) left.push(await ask(at));
});
afterAll(closeAll);

function ask(at: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get({ port: postern.port, path: `/${at}` }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("end", () => resolve(answer.statusCode === 200 ? Buffer.concat(pieces) : Buffer.alloc(0)));
      answer.on("error", reject);
    }).on("error", reject);
  });
}

const lines = (texts: readonly Buffer[]): string => texts.map((text) => `${text.toString("base64")}\n`).join("");

test.each(Object.entries(READERS))("%s", async (_name, command) => {
  if (!works(`command -v ${command[0]}`)) return;
  expect(numbersOf(await runProgram(command, lines(left)))).toEqual([]);
  const asTheyCame = numbersOf(await runProgram(command, lines(bodies)));
  expect(asTheyCame.length).toBeGreaterThan(50);
});

test("node", () => {
  const found = (text: Buffer): boolean => {
    let isFound = false;
    const look = (name: string, inner: unknown): unknown => {
      isFound ||= name === "ssn";
      return inner;
    };
    try {
      JSON.parse(new TextDecoder().decode(text), look);
    } catch {
      return false;
    }
    return isFound;
  };
  expect(left.flatMap((text, at) => (found(text) ? [at] : []))).toEqual([]);
  expect(bodies.filter(found).length).toBeGreaterThan(50);
});

test("most of what is JSON leaves, and some of it with members less", () => {
  const leaving = left.filter(({ length }) => length > 0);
  expect(leaving.length).toBeGreaterThan(150);
  expect(left.filter((text, at) => text.length > 0 && text.length < (bodies[at]?.length ?? 0)).length).toBeGreaterThan(
    50,
  );
});
