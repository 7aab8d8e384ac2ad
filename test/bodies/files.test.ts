import { describe, expect, test } from "vitest";
import { fileContentFault } from "../../src/bodies/file-content.ts";
import { fileNameFault, hidesExtension } from "../../src/bodies/file-name.ts";

describe("names", () => {
  test.each([
    "a.png",
    "Größe 日本.png",
    "what? (1).png",
    "a.b.c",
    "it's.txt",
    "100%.txt",
    "50%25.txt",
    "console.log",
    "a+b=c.txt",
    "com.txt",
    "e\u0301.png",
  ])("'%s' is a file's name", (name) => expect(fileNameFault(name)).toBeNull());

  test.each([
    [
      "a path separator",
      [
        "../a",
        "a/b",
        "..\\a",
        "C:\\a.txt",
        "/etc/passwd",
        "x%2fa",
        "x%252fa",
        "a%5cb",
        "\uff0fa",
        "a\u2216b".replace("\u2216", "\uff3c"),
      ],
    ],
    [
      "a dot in front, or a dot or blank at the end",
      ["..", ".", ".htaccess", "a.php.", "a.php ", "%2ehtaccess", "a\uff0e"],
    ],
    [
      "a control character, or one that is not seen",
      ["a\0.png", "a%00.png", "a\u202egnp.exe", "a\u200b.png", "a\u2028b", "a\x85b", "%0aa"],
    ],
    ["a colon, behind which a stream or drive is named", ["a.php::$DATA", "c:a"]],
    ["a device's name", ["CON", "con.txt", "aux.tar.gz", "COM1", "lpt9.png", "NUL", "com\u00b9"]],
    ["more than 255 bytes", ["a".repeat(256), "ä".repeat(128)]],
  ])("%s: %j", (fault, names) => {
    for (const name of names) expect(fileNameFault(name), name).toBe(fault);
  });

  test.each(["a.php.png", "a.PHTML.jpg", "a.asp.x.png", "shell.jsp.pdf"])("%s hides an extension", (name) => {
    expect(hidesExtension(name)).toBe(true);
  });
  test.each(["a.png", "a.b.png", "php.png", "v1.2.png"])("%s hides none", (name) => {
    expect(hidesExtension(name)).toBe(false);
  });
});

describe("content", () => {
  const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
  const zip = (entry: string): Buffer => {
    const head = Buffer.alloc(30);
    head.write("PK\x03\x04", "latin1");
    head.writeUInt16LE(entry.length, 26);
    return Buffer.concat([head, Buffer.from(entry)]);
  };
  const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

  test.each<[string, Buffer]>([
    ["image/png", bytes("\x89PNG\r\n\x1a\n....")],
    ["image/jpeg", bytes("\xff\xd8\xff\xe0..JFIF")],
    ["image/gif", bytes("GIF89a")],
    ["image/webp", bytes("RIFF....WEBPVP8 ")],
    ["image/avif", bytes("\0\0\0\x1cftypavif")],
    ["image/heic", bytes("\0\0\0\x1cftypheic")],
    ["application/pdf", bytes("%PDF-1.7")],
    ["application/zip", zip("a.txt")],
    [DOCX, zip("[Content_Types].xml")],
    [DOCX, zip("word/document.xml")],
    ["application/gzip", bytes("\x1f\x8b\x08\0")],
    ["video/mp4", bytes("\0\0\0\x20ftypisom")],
    ["video/mp4", bytes("\0\0\0\x20ftypmp42")],
    ["video/webm", bytes("\x1a\x45\xdf\xa3")],
    ["application/x-tar", Buffer.concat([Buffer.alloc(257), bytes("ustar")])],
    ["text/plain", Buffer.from("Größe < 3 €")],
    ["text/plain", bytes("")],
    ["text/csv", bytes("MZ;1\nBMW;2\n")],
    ["text/csv", bytes("Gr\xf6\xdfe;3")],
    ["text/markdown", bytes("<h1 align=center>Title</h1>")],
    ["text/html", bytes("<!doctype html>")],
    ["image/svg+xml", bytes('<?xml version="1.0"?>\n<!-- a -->\n<!DOCTYPE svg PUBLIC "x" "y">\n<svg xmlns="">')],
    ["image/svg+xml", bytes("<svg/>")],
    ["application/xml", Buffer.from("\ufeff<order>")],
    ["application/json", bytes(' {"a":1}')],
    ["application/octet-stream", bytes("MZ")],
    ["model/gltf-binary", bytes("glTF")],
  ])("%s may begin so", (type, start) => {
    expect(fileContentFault(type, start)).toBeNull();
  });

  test.each<[string, Buffer]>([
    ["image/png", bytes("")],
    ["image/png", bytes("\x89PN")],
    ["image/png", bytes("<?php system($_GET[0]);")],
    ["image/jpeg", bytes("\x89PNG\r\n\x1a\n....")],
    ["image/webp", bytes("RIFF....WAVEfmt ")],
    ["application/pdf", bytes("\n%PDF-1.7")],
    [DOCX, zip("evil.exe")],
    [DOCX, bytes("PK\x03\x04")],
    ["video/mp4", bytes("\0\0\0\x20ftypqt  ")],
    ["text/plain", bytes("%PDF-1.7")],
    ["text/plain", bytes("GIF89a/*<script>*/")],
    ["text/plain", bytes("a\0b")],
    ["text/plain", Buffer.from("\ufeffabc", "utf16le")],
    ["text/plain", bytes("  <!DOCTYPE HTML><script>")],
    ["text/csv", bytes("<svg onload=alert(1)>")],
    ["text/csv", bytes("<?php ")],
    ["image/svg+xml", bytes("<html><svg>")],
    ["image/svg+xml", bytes("<!-- <svg> --><script>")],
    ["application/xml", bytes("order")],
    ["application/json", bytes("<script>")],
    ["model/gltf-binary", bytes("<script>alert(1)</script>")],
    ["font/ttf", bytes("MZ\x90\0")],
  ])("%s may not begin so", (type, start) => {
    expect(fileContentFault(type, start)).not.toBeNull();
  });
});
