import type { Random } from "./random.ts";

/**
 * Texts of each format, right ones and some that nearly are. No time of day has a leap second: @hyperjump/json-schema
 * takes none in `time`, where RFC 3339 and the published test suite have 23:59:60Z.
 */
const TEXTS = {
  "date-time": [
    "2026-01-31T12:00:00Z",
    "1998-12-31T23:59:60Z",
    "1998-12-31T15:59:60.123-08:00",
    "2026-01-31t12:00:00z",
  ],
  date: ["2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "2026-04-31"],
  time: ["12:00:00Z", "23:59:61Z", "08:30:06.283185Z", "22:59:59-01:00", "12:00:00+24:00", "12:00:00"],
  duration: ["P1D", "P4DT12H30M5S", "PT0S", "P2W", "P1D2H", "P2D1Y", "P", "PT", "P1Y2W", "PT1H30S"],
  email: ["someone@example.org", '"joe bloggs"@example.org', "joe@[127.0.0.1]", ".a@b.c", "a..b@c.d", "a@"],
  hostname: ["example.org", "xn--nxasmq6b", "-a.b", "a-.b", "a_b.c", "a".repeat(64), `${"a".repeat(63)}.com`],
  ipv4: ["192.0.2.1", "256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "0.0.0.0"],
  ipv6: ["2001:db8::1", "::", "::ffff:192.0.2.1", "1:2:3:4:5:6:7:8", "1::2::3", "fe80::1%eth0", ":1", "12345::"],
  uri: [
    "https://u:p@example.org:80/a?b#c",
    "urn:isbn:0-395-36341-1",
    "//a/b",
    "http:// a",
    "mailto:a@b.c",
    "http://[::1]/",
  ],
  "uri-reference": ["/a", "#f", "\\\\a", "a?b#c", "//example.org/%7Ea", "%zz", "a:b:c"],
  iri: ["http://ƒøø.ßår/?∂éœ=πîx#πîüx", "http://a\u0000b/", "bär"],
  "iri-reference": ["âππ", "#ƒrägmênt", "\\\\WINDOWS"],
  uuid: [
    "0b6e2f6e-5a1f-4a9a-a8a5-2d9ce2b5a1f1",
    "2EB8AA08-AA98-11EA-B4AA-73B441D16380",
    "2eb8-aa08-aa98-11ea-b4aa73b441d16380",
  ],
  "uri-template": ["/a/{b}", "{+x,y*}", "{?q:3}", "/{a", "}", "{}"],
  "json-pointer": ["", "/a~0b", "/a~2", "a/b", "/~01", "/"],
  "relative-json-pointer": ["0/a", "1#", "01", "-1", "120/foo/bar", "#"],
  regex: ["^a$", "(", "[a-z]{2,3}", "\\p{L}", "a{2,1}", "(?<n>a)\\k<n>"],
} as const;

type Format = keyof typeof TEXTS;

const FORMATS = Object.keys(TEXTS) as [Format, ...Format[]];
const CHARACTERS = ["0", "1", "9", "a", "Z", "-", ".", ":", "/", "@", " ", "~", "%", "#", "ß", "١"] as const;
/** Draft-07 does not have them. */
const LATER: readonly string[] = ["duration", "uuid"];

export function drawFormat(random: Random, isDraft07: boolean): string {
  const format = random.pick(FORMATS);
  return isDraft07 && LATER.includes(format) ? "date" : format;
}

/** A text of some format, one time in three with a character more, less or another. */
export function drawFormatText(random: Random): string {
  const text = random.pick<string>(TEXTS[random.pick(FORMATS)]);
  if (random.chance(0.66)) return text;
  const at = random.below(text.length + 1);
  const middle = random.chance(0.3) ? "" : random.pick(CHARACTERS);
  return (text.slice(0, at) + middle + text.slice(at + random.below(2))).replaceAll(":60", ":59");
}
