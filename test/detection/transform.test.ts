import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  mayChange,
  TRANSFORM_NAMES,
  transformOf,
  triggersOf,
  triggersOfAlphabet,
} from "../../src/detection/transform/index.ts";

const apply = (name: string, text: string): string => transformOf(name)?.(text) ?? `no ${name}`;

/** [transformation, text, what it becomes], by ModSecurity's Reference Manual and its sources (src/actions/transformations). */
const CASES: readonly (readonly [string, string, string])[] = [
  ["urlDecode", "a+b%20c%zz%4", "a b c%zz%4"],
  ["urlDecode", "%u0041%%41", "%u0041%A"],
  ["urlDecodeUni", "%u0041%u00e1%u2039script%UFF1E%u12", "Aa<script>%u12"],
  ["urlDecodeUni", "%u%41+%uFF5F%u0141", "%uA _L"],
  ["urlDecodeUni", "+u2019%2B%uff21+", " u2019+A "],
  ["cssDecode", "\\ff41\\ffff41\\00ff41x\\fff1", "aaax\xf1"],
  ["sqlHexDecode", "0x0x4142430x44g", "0xABCDg"],
  ["htmlEntityDecode", "&lt;a&gt &quot;&AMP;amp;&nbsp;", '<a> "&amp;\xa0'],
  ["htmlEntityDecode", "&#60;&#x3C&#0000060;&#x0000003c;&unknown;&#;&#x;", "<<<<&unknown;&#;&#x;"],
  ["htmlEntityDecode", "&ltscript>", "<script>"],
  ["htmlEntityDecode", "&#316;&#1000;", "<\xe8"],
  ["jsDecode", "\\u003cscript\\x3e\\74\\163\\x\\q\\n\\", "<script><sxq\n\\"],
  ["jsDecode", "\\uff1c\\uFF5F\\400\\8", "<_ 08"],
  ["cssDecode", "\\74 est\\000065 \\zw\\\nx\\", "testezwx"],
  ["cssDecode", "\\ff1c\\00ff1e\\0ff01\\1ff1c", "<>!\x1c"],
  ["escapeSeqDecode", "\\x41\\101\\n\\q\\\\\\?\\", "AA\nq\\?\\"],
  ["sqlHexDecode", "0x414243 0X4a 0x4 x41", "ABC J 0x4 x41"],
  ["hexDecode", "414a", "AJ"],
  ["hexDecode", "414", ""],
  ["base64Decode", "VGVzdENhc2U=rest", "TestCase"],
  ["base64Decode", "VGVz\r\ndE.NhcPHM=", "Test"],
  ["base64DecodeExt", "P.HNjcmlw dD5h-_==", "<script>a\xfb"],
  ["base64Encode", "Test\xff", "VGVzdP8="],
  ["hexEncode", "a\xff\0", "61ff00"],
  ["urlEncode", "a b*c/\xe9", "a+b*c%2f%e9"],
  ["utf8toUnicode", "caf\xc3\xa9 \xe2\x80\xb9\xf0\x9f\x98\x80\xff", "caf%u00e9 %u2039%u1f600\xff"],
  ["utf8toUnicode", "\xc0\xaf", "%u002f\xc0"],
  ["sha1", "", "\xda9\xa3\xee^kK\r2U\xbf\xef\x95`\x18\x90\xaf\xd8\x07\x09"],
  ["md5", "TestCase", "\xc9\xab\xa2\xc3\xe6\x01&\x16\x9e\x80\xe9\xa2k\xa2s\xc1"],
  ["length", "abc", "3"],
  ["lowercase", "ÀBC\xc3\x89", "Àbc\xc3\x89"],
  ["upperCase", "àbc", "àBC"],
  ["removeNulls", "a\0b\0", "ab"],
  ["replaceNulls", "a\0b", "a b"],
  ["removeWhitespace", "a \t\v\xc2\xa0b", "ab"],
  ["compressWhitespace", " a \t\n b\f", " a b "],
  ["trim", " \n a b \t", "a b"],
  ["trimLeft", " \n a ", "a "],
  ["trimRight", " a \n ", " a"],
  ["cmdLine", "C^md \"/c\"  'w\\hoami' ,;x ( y", "cmd/c whoami x( y"],
  ["replaceComments", "a/* b */c/* d", "a c "],
  ["replaceComments", "a*/b/**/c/*/", "a*/b c "],
  ["removeComments", "a/* b */c<!-- d -->e--f", "ace"],
  ["removeComments", "a/* b */--c#d", "a--c"],
  ["removeComments", "a/* b", "a "],
  ["removeCommentsChar", "a/*b*/c<!--d-->e#f--g", "abcdefg"],
  ["normalizePath", "/a/./b/../../../c//d", "/c/d"],
  ["normalisePath", "../../a/../b/", "../../b/"],
  ["normalizePath", "./", ""],
  ["normalizePath", "it ends here...", "it ends here..."],
  ["normalizePathWin", "\\a\\..\\..\\windows\\", "/windows/"],
  ["none", "a", "a"],
];

describe("each transformation does what ModSecurity says", () => {
  test.each(CASES)("%s of %j", (name, text, expected) => {
    expect(apply(name, text)).toBe(expected);
  });

  test("names count in any case, and there are no others", () => {
    expect(transformOf("URLDECODEUNI")).toBe(transformOf("urlDecodeUni"));
    expect(transformOf("rot13")).toBeUndefined();
    expect(transformOf("constructor")).toBeUndefined();
  });
});

/** Texts full of what the transformations look for. */
const bytes = fc
  .oneof(
    fc.array(
      fc.constantFrom(
        ..."aZ09 \t\n\0%+&\\\"'^,;/(.*#-!<>=uxX".split(""),
        "%u0041",
        "&lt",
        "&#x41;",
        "\\x41",
        "\\u0041",
        "/*",
        "*/",
        "<!--",
        "-->",
        "0x41",
        "../",
        "/./",
        "\xc2\xa0",
        "\xc3\xa9",
      ),
      { maxLength: 12 },
    ),
    fc.array(
      fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
      { maxLength: 12 },
    ),
  )
  .map((parts) => parts.join(""));

describe.each(TRANSFORM_NAMES.map((name) => [name]))("%s", (name) => {
  test("mayChange is never false where it changes something", () => {
    fc.assert(
      fc.property(bytes, (text) => mayChange(name, triggersOf(text)) || apply(name, text) === text),
      { numRuns: 500 },
    );
  });

  test("its result is a byte text", () => {
    fc.assert(fc.property(bytes, (text) => /^[\0-\xff]*$/.test(apply(name, text))));
  });

  test("hostile texts take linear time", () => {
    // With the square of the length each of these would take minutes.
    for (const piece of [
      "%",
      "%u",
      "&#",
      "&#9",
      "\\",
      "\\1",
      "/*",
      "<!--",
      "*",
      " ",
      " a",
      "0x",
      "0x1",
      "../",
      "a/../",
      "\xc3",
      "=",
    ]) {
      const text = piece.repeat(100_000 / piece.length);
      expect(apply(name, text).length).toBeLessThanOrEqual(7 * text.length);
    }
  });
});

test.each([
  ["lowercase"],
  ["uppercase"],
  ["removeNulls"],
  ["replaceNulls"],
  ["removeWhitespace"],
  ["compressWhitespace"],
  ["trim"],
  ["trimLeft"],
  ["trimRight"],
  ["normalizePath"],
  ["normalizePathWin"],
  ["replaceComments"],
])("%s twice is the same as once", (name) => {
  fc.assert(fc.property(bytes, (text) => apply(name, apply(name, text)) === apply(name, text)));
});

test("a text that has nothing to change is not made anew by asking", () => {
  const ordinary = "6f9619ff-8b86-d011-b42d-00c04fc964ff";
  const idle = ["urlDecodeUni", "htmlEntityDecode", "jsDecode", "cssDecode", "lowercase", "removeNulls", "cmdLine"];
  for (const name of idle) expect(mayChange(name, triggersOf(ordinary))).toBe(false);
});

test("the triggers of an alphabet are all that its texts can have", () => {
  const bytesOf = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 8 }), (text) => {
      const alphabet = [...text].map((char) => char.codePointAt(0) ?? 0).sort((a, b) => a - b);
      const all = triggersOfAlphabet(alphabet.flatMap((char) => [char, char]));
      return (triggersOf(bytesOf(text)) & ~all) === 0;
    }),
  );
  expect(triggersOfAlphabet([0x30, 0x39])).toBe(triggersOf("0"));
  expect(triggersOfAlphabet([0x2d, 0x2d])).toBe(triggersOf("--"));
});
