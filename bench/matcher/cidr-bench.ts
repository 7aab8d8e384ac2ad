import { BlockList } from "node:net";
import { buildCidrTable } from "../../src/matching/cidr-table.ts";
import { maskOf, type Prefix, parsePrefix } from "../../src/matching/prefix.ts";
import { type Address, parseAddress } from "../../src/message/address.ts";
import { type Figure, type Lane, medians, time } from "./measure.ts";
import { seededRandom } from "./random.ts";

type Random = (below: number) => number;

const PREFIXES = 100_000;
const PROBES = 16_384;
const BATCH = 1024;
const WARM_UP = 15_360;
const BLOCK_LIST_BATCH = 4;
const ROUNDS = 101;
const SEED = 20_260_702;

/**
 * A blocklist, half IPv4 and half IPv6, as such lists are: single IPv4 addresses and /24s, IPv6 from /32 to /64 out of
 * the registries' few blocks. Every second probe begins a prefix of the list, the others are as random as the list is.
 */
export function benchCidr(): Figure[] {
  const random = seededRandom(SEED);
  const prefixes = Array.from({ length: PREFIXES }, () => randomPrefix(random));
  const isListed = exactLookUp(prefixes);
  const probes = Array.from({ length: PROBES }, (_, at) => {
    const prefix = at % 2 === 0 ? prefixes[random(PREFIXES)] : randomPrefix(random);
    return parseAddress(prefix?.split("/")[0] ?? "");
  }).filter((address) => address !== null);
  const lanes = {
    postern: posternLane(prefixes, probes, isListed),
    "node-blocklist": blockListLane(prefixes, probes, isListed),
  };
  const ns = medians(lanes, ROUNDS);
  return Object.keys(ns).map((contestant) => ({
    bench: "cidr",
    contestant,
    size: PREFIXES,
    ns: ns[contestant] ?? Number.NaN,
  }));
}

/** The other probes go first and untimed: they bring the table into the processor's caches, as far as it fits there. */
function posternLane(
  prefixes: readonly string[],
  probes: readonly Address[],
  isListed: (address: Address) => boolean,
): Lane {
  const built = buildCidrTable(prefixes);
  if (!built.ok) throw new Error(built.error[0]?.text);
  const table = built.value;
  function countHits(addresses: readonly Address[]): number {
    let hits = 0;
    for (let at = 0; at < addresses.length; at++) if (table.has(addresses[at] as Address)) hits++;
    return hits;
  }
  const listed = probes.map(isListed);
  let round = 0;
  return () => {
    const from = (round++ * BATCH) % PROBES;
    const others = [...probes.slice(from + BATCH), ...probes.slice(0, from)].slice(0, WARM_UP);
    countHits(others);
    // Copies, for the address of a connection that has just come is in the cache; the table need not be.
    const batch = probes.slice(from, from + BATCH).map((address) => ({ ...address }));
    const wanted = listed.slice(from, from + BATCH).filter(Boolean).length;
    return time(() => countHits(batch), wanted, BATCH);
  };
}

/** Node's own list goes through its rules one by one, so it gets few probes. */
function blockListLane(
  prefixes: readonly string[],
  probes: readonly Address[],
  isListed: (address: Address) => boolean,
): Lane {
  const list = new BlockList();
  for (const prefix of prefixes) {
    const [network = "", length = ""] = prefix.split("/");
    list.addSubnet(network, Number(length), prefix.includes(":") ? "ipv6" : "ipv4");
  }
  let round = 0;
  return () => {
    const from = (round++ * BLOCK_LIST_BATCH) % PROBES;
    const batch = probes.slice(from, from + BLOCK_LIST_BATCH);
    const check = ({ text, family }: Address) => list.check(text, family === 4 ? "ipv4" : "ipv6");
    return time(() => batch.filter(check).length, batch.filter(isListed).length, batch.length);
  };
}

/** Another way to the same answer, for the check: a hash of every prefix, asked once for each length. */
function exactLookUp(prefixes: readonly string[]): (address: Address) => boolean {
  const key = (family: number, words: readonly number[], length: number) =>
    [family, length, ...words.map((word, at) => (word & maskOf(length - 32 * at)) >>> 0)].join();
  const parsed = prefixes
    .map((text) => parsePrefix(text))
    .flatMap((prefix): Prefix[] => (prefix.ok ? [prefix.value] : []));
  const keys = new Set(parsed.map(({ family, words, length }) => key(family, words, length)));
  const lengths = [...new Set(parsed.map((prefix) => prefix.length))];
  return ({ family, w0, w1, w2, w3 }) => {
    const words = family === 4 ? [w0] : [w0, w1, w2, w3];
    return lengths.some((length) => keys.has(key(family, words, length)));
  };
}

function randomPrefix(random: Random): string {
  const byte = () => random(256);
  const half = () => random(65_536).toString(16);
  switch (random(4)) {
    case 0:
      return `${1 + random(223)}.${byte()}.${byte()}.0/24`;
    case 1:
      return `${1 + random(223)}.${byte()}.${byte()}.${byte()}/32`;
    default: {
      const registry = ["2001", `2a0${random(16).toString(16)}`, "2600", "2400", "2804"][random(5)];
      const tails = [
        `${half()}::/32`,
        `${half()}:${random(16).toString(16)}000::/36`,
        `${half()}:${half()}::/48`,
        `${half()}:${half()}:${half()}::/64`,
      ];
      return `${registry}:${tails[random(4)]}`;
    }
  }
}
