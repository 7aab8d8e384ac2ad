import { isHostname, isIdnHostname, isIpv4, isIpv6 } from "./hosts.ts";

const LOCAL_OCTETS_MAX = 64;
const MAILBOX_OCTETS_MAX = 254;

const ATOMS = /^[!#$%&'*+\-/=?^_`{|}~0-9A-Za-z.]+$/;
const QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"$/;
const IDN_ATOMS = /^[!#$%&'*+\-/=?^_`{|}~0-9A-Za-z.\u{80}-\u{10ffff}]+$/u;
const IDN_QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e\u{80}-\u{10ffff}]|\\[\x20-\x7e])*"$/u;

/** `Mailbox` of RFC 5321 section 4.1.2: words with dots or a quoted string, at a host name or an address in brackets. */
export function isEmail(text: string): boolean {
  return isMailbox(text, ATOMS, QUOTED, isHostname);
}

/** The same as RFC 6531 section 3.3 widens it: UTF-8 in both parts. A host name is judged as its normal form is looked up. */
export function isIdnEmail(text: string): boolean {
  return text.isWellFormed() && isMailbox(text, IDN_ATOMS, IDN_QUOTED, (host) => isIdnHostname(host.normalize("NFC")));
}

function isMailbox(text: string, atoms: RegExp, quoted: RegExp, isHost: (host: string) => boolean): boolean {
  const at = text.lastIndexOf("@");
  if (at < 1 || text.length > MAILBOX_OCTETS_MAX || Buffer.byteLength(text) > MAILBOX_OCTETS_MAX) return false;
  const local = text.slice(0, at);
  const host = text.slice(at + 1);
  if (Buffer.byteLength(local) > LOCAL_OCTETS_MAX) return false;
  return (isDotString(local, atoms) || quoted.test(local)) && (isAddressLiteral(host) || isHost(host));
}

function isDotString(local: string, atoms: RegExp): boolean {
  return atoms.test(local) && !local.startsWith(".") && !local.endsWith(".") && !local.includes("..");
}

/** RFC 5321 section 4.1.3; of its tags only the one of IPv6 is registered. */
function isAddressLiteral(host: string): boolean {
  if (!host.startsWith("[") || !host.endsWith("]")) return false;
  const address = host.slice(1, -1);
  return /^ipv6:/i.test(address) ? isIpv6(address.slice(5)) : isIpv4(address);
}
