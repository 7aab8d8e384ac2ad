/** The blocks of a PEM file with one of these labels, each with its BEGIN and END lines, in the file's order. */
export function pemBlocks(pem: Buffer, label: string): readonly string[] {
  const block = new RegExp(`-----BEGIN ${label}-----[\\s\\S]*?-----END ${label}-----`, "g");
  return pem.toString("latin1").match(block) ?? [];
}

/** Whether the last line is the beginning of a BEGIN line: the file is cut, and more was to come. */
export function endsInBegin(pem: Buffer): boolean {
  const line = pem.toString("latin1", pem.lastIndexOf("\n") + 1);
  return /^(?:-{1,5}|-----B[A-Z0-9 ]*-{0,4})$/.test(line);
}

/** Bytes → a block of a PEM file (RFC 7468 section 2). */
export function pemBlock(der: Buffer, label: string): string {
  return `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;
}

/** A block → its bytes. */
export function pemBytes(block: string): Buffer {
  return Buffer.from(block.replace(/-----[^-]*-----/g, ""), "base64");
}

export const CRL_LABEL = "X509 CRL";
