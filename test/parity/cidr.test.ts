import { expect, test } from "vitest";
import { seededRandom } from "../../bench/matcher/random.ts";
import { buildCidrTable } from "../../src/matching/cidr-table.ts";
import { type Address, parseAddress } from "../../src/message/address.ts";

/** The specification: an address is in a prefix of its family when the first `length` bits are the same. */
function scan(prefixes: readonly string[], address: Address): boolean {
  return prefixes.some((prefix) => {
    const [text = "", length = ""] = prefix.split("/");
    const network = parseAddress(text);
    if (network === null || network.family !== address.family) return false;
    const width = network.family === 4 ? 32 : 128;
    const dropped = BigInt(width - (length === "" ? width : Number(length)));
    return bits(network) >> dropped === bits(address) >> dropped;
  });
}

function bits({ family, w0, w1, w2, w3 }: Address): bigint {
  if (family === 4) return BigInt(w0);
  return [w0, w1, w2, w3].reduce((all, word) => (all << 32n) | BigInt(word), 0n);
}

// Set it to repeat a run that failed.
const { PARITY_SEED } = process.env;
const SEED = Number(PARITY_SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`the table equals a scan of the prefixes, seed ${SEED}`, () => {
  const random = seededRandom(SEED);
  let hits = 0;
  for (let round = 0; round < 300; round++) {
    const prefixes = Array.from({ length: random(40) }, () => randomPrefix(random));
    const built = buildCidrTable(prefixes);
    if (!built.ok) throw new Error(`seed ${SEED}: ${built.error[0]?.text}`);
    for (let probe = 0; probe < 60; probe++) {
      const address = parseAddress(nearSome(prefixes, random));
      if (address === null) throw new Error(`seed ${SEED}: no address`);
      const wanted = scan(prefixes, address);
      if (wanted) hits++;
      expect(built.value.has(address), `seed ${SEED}, ${address.text} in ${prefixes.join(" ")}`).toBe(wanted);
    }
  }
  expect(hits).toBeGreaterThan(1000);
});

/** Words of few different values, so that prefixes meet, nest and share their beginnings. */
function randomBits(width: number, random: (below: number) => number): bigint {
  let all = 0n;
  for (let word = 0; word < width / 16; word++) {
    const choices = [0, 0xffff, 0x2001, 0x8000, 1, random(4), random(0x10000)];
    all = (all << 16n) | BigInt(choices[random(choices.length)] ?? 0);
  }
  return all;
}

function randomPrefix(random: (below: number) => number): string {
  const width = random(2) === 0 ? 32 : 128;
  const length = random(8) === 0 ? random(width + 1) : width - random(width === 32 ? 24 : 112);
  const dropped = BigInt(width - length);
  return `${toText((randomBits(width, random) >> dropped) << dropped, width)}/${length}`;
}

/** An address in a prefix, just outside one, or anywhere. */
function nearSome(prefixes: readonly string[], random: (below: number) => number): string {
  const [text = "", length = "0"] = prefixes[random(prefixes.length || 1)]?.split("/") ?? [];
  const network = parseAddress(text);
  if (network === null || random(5) === 0) {
    const width = random(2) === 0 ? 32 : 128;
    return toText(randomBits(width, random), width);
  }
  const width = network.family === 4 ? 32 : 128;
  const size = 1n << BigInt(width - (text.includes(":") && width === 32 ? Number(length) - 96 : Number(length)));
  const offsets = [0n, -1n, 1n, size - 1n, size, randomBits(width, random) % size];
  const all = bits(network) + (offsets[random(offsets.length)] ?? 0n);
  return toText(BigInt.asUintN(width, all), width);
}

function toText(all: bigint, width: number): string {
  const part = width === 32 ? 8 : 16;
  const parts = Array.from({ length: width / part }, (_, at) =>
    Number(BigInt.asUintN(part, all >> BigInt(width - part * (at + 1)))),
  );
  return width === 32 ? parts.join(".") : parts.map((each) => each.toString(16)).join(":");
}
