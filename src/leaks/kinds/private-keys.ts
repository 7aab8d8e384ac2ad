import { byteSet, isIn } from "../byte-set.ts";
import { type Detector, type LeakKind, type Tail, token } from "../kind.ts";
import { anchorOf, MORE, parseShape } from "../shape.ts";

const LABEL = byteSet("A-Z0-9 ");
const LABEL_BYTES_MAX = 48;
const ANCHOR = "-----BEG";
const KEY_BYTES_MAX = 16 * 1024;

/** All up to the end line; a text that ends before it, or the end of its string, ends it as well. */
const tail = (until: string): Tail => ({ set: byteSet('"<').map((cell) => 1 - cell), until, bytesMax: KEY_BYTES_MAX });

const key = (name: string, about: string, label: string, source: string): LeakKind => ({
  name,
  group: "privateKeys",
  about,
  shape: `-----BEGIN ${label}-----`,
  checksum: "",
  words: [],
  scores: { shape: 60, checksum: 0, word: 0 },
  threshold: 60,
  source,
});

const PEM = key(
  "pem-private-key",
  "Private key as PEM",
  "(RSA, EC, DSA, ENCRYPTED …) PRIVATE KEY",
  "RFC 7468 sections 10 and 11",
);
const OPENSSH = key("openssh-private-key", "Private key of OpenSSH", "OPENSSH PRIVATE KEY", "openssh: PROTOCOL.key");
const PGP = key("pgp-private-key", "Private key of OpenPGP", "PGP PRIVATE KEY BLOCK", "RFC 9580 section 6.2");

function kindOf(label: string): [LeakKind, Tail] | null {
  if (label === "PGP PRIVATE KEY BLOCK") return [PGP, tail("BLOCK-----")];
  if (label === "OPENSSH PRIVATE KEY") return [OPENSSH, tail("KEY-----")];
  return /^(?:[A-Z0-9]+ ){0,3}PRIVATE KEY$/.test(label) ? [PEM, tail("KEY-----")] : null;
}

const ARMORED: Detector = {
  kinds: [PEM, OPENSSH, PGP],
  anchors: [anchorOf(parseShape(ANCHOR, false), null)],
  bytesBefore: 0,
  find(text, at, judge) {
    const start = at - ANCHOR.length;
    let end = at;
    while (end < text.length && end - at < LABEL_BYTES_MAX && isIn(LABEL, text.bytes[end])) end++;
    if (end + 5 > text.length && !text.isWhole) return MORE;
    if (text.slice(end, end + 5) !== "-----") return null;
    const found = kindOf(text.slice(at + "IN ".length, end));
    if (found === null || !judge.isReported(found[0], start, false)) return null;
    return { kind: found[0], from: start, start, end: end + 5, tail: found[1] };
  },
};

/** Keys that sign and decrypt. */
export const PRIVATE_KEYS: readonly Detector[] = [
  ARMORED,
  token("base64-private-key", "privateKeys", {
    about: "PEM private key in base64",
    shapes: ["LS0tLS1CRUdJTi[A-Za-z0-9+/]{58}"],
    checksum: "decodes to the first line of a private key",
    isChecked: (found) => Buffer.from(found, "base64").toString("latin1").includes("PRIVATE KEY"),
    scores: { shape: 20, checksum: 60 },
    threshold: 80,
    source: "RFC 7468, RFC 4648",
    isOpen: true,
    tail: { set: byteSet("A-Za-z0-9+/="), until: "", bytesMax: KEY_BYTES_MAX },
  }),
  token("putty-private-key", "privateKeys", {
    about: "Private key of PuTTY",
    shapes: ["PuTTY-User-Key-File-\\d: "],
    source: "PuTTY manual, appendix C",
    isOpen: true,
    tail: tail("Private-MAC: "),
  }),
  token("jwk-private-key", "privateKeys", {
    about: "Private part of a JSON Web Key",
    shapes: ["[\"']d[\"'] ?: ?[\"'][A-Za-z0-9_-]{42,512}"],
    source: "RFC 7518 sections 6.2.2 and 6.3.2",
    isOpen: true,
    tail: { set: byteSet("A-Za-z0-9_-"), until: "", bytesMax: 2048 },
  }),
];
