import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The same numbers each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const ANSWERS = 2_000;

/** Ordinary answers of APIs: ids of all sorts, times, prices, links, hashes, texts; none has anything to hide. */
export function ordinaryAnswers(): string[] {
  const random = randomOf(20_260_101);
  const whole = (most: number): number => Math.floor(random() * most);
  const pick = <T>(list: readonly T[]): T => list[whole(list.length)] as T;
  const chars = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet[whole(alphabet.length)]).join("");
  const hex = (length: number): string => chars("0123456789abcdef", length);
  const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const digits = (length: number): string => `${1 + whole(9)}${chars("0123456789", length - 1)}`;
  const uuid = (): string => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  const ulid = (): string => chars("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26);
  const time = (): string => new Date(1.6e12 + whole(2e11)).toISOString();
  const words = [
    "please",
    "ring",
    "the",
    "bell",
    "at",
    "back",
    "door",
    "thank",
    "you",
    "order",
    "is",
    "ready",
    "Größe",
  ];
  const text = (): string => Array.from({ length: 3 + whole(30) }, () => pick(words)).join(" ");
  const anyId = (): string | number =>
    pick<() => string | number>([
      uuid,
      ulid,
      () => whole(1e9),
      () => Number(digits(13)),
      () => digits(16),
      () => digits(18),
      () => digits(19),
      () => `ord_${hex(24)}`,
      () => chars(base64, 22),
    ])();
  const item = (): object => ({
    id: anyId(),
    sku: `${chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3)}-${digits(6)}`,
    ean: digits(13),
    quantity: whole(50),
    price: { amount: whole(1e6) / 100, currency: pick(["EUR", "USD", "GBP"]) },
    weightKg: random() * 100,
  });
  const answer = (): object => ({
    id: anyId(),
    number: digits(10),
    status: pick(["PAID", "PENDING", "SHIPPED", "CANCELLED"]),
    createdAt: time(),
    updatedAt: pick([time(), Date.now.name.length + whole(2e9), 1.6e12 + whole(2e11)]),
    day: time().slice(0, 10),
    slot: `${time().slice(0, 10)} ${time().slice(11, 19)}`,
    customer: { id: anyId(), name: pick(["Jane Example", "Ada Sample", "Max Muster"]), zip: digits(5), city: "Berlin" },
    items: Array.from({ length: whole(8) }, item),
    location: { lat: random() * 180 - 90, lon: random() * 360 - 180 },
    links: {
      self: `https://api.example.com/v1/orders/${anyId()}?page=${whole(99)}`,
      avatar: `https://cdn.example.com/u/${hex(32)}@2x.png`,
    },
    etag: `W/"${hex(40)}"`,
    checksum: hex(64),
    commit: hex(40),
    version: `${whole(20)}.${whole(20)}.${whole(200)}`,
    ip: [whole(256), whole(256), whole(256), whole(256)].join("."),
    traceId: hex(32),
    note: text(),
    pagination: { nextPageToken: chars(base64, 40), cursor: chars(base64, 64), total: whole(1e6) },
    tokenType: "Bearer",
    passwordPolicy: { minLength: 12, required: true },
    thumbnail: chars(base64, 400),
  });
  return Array.from({ length: ANSWERS }, () => JSON.stringify(answer()));
}

/** The examples in the documents of @readme/oas-examples, by file. */
export function documentedExamples(): Map<string, string> {
  const folder = dirname(fileURLToPath(import.meta.resolve("@readme/oas-examples/package.json")));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /^\d.*\/json\/.*\.json$/.test(name),
  );
  const examples = new Map<string, string>();
  for (const name of files.sort()) {
    const found: unknown[] = [];
    collect(JSON.parse(readFileSync(join(folder, name), "utf8")), found);
    if (found.length > 0) examples.set(name, JSON.stringify(found));
  }
  return examples;
}

function collect(value: unknown, found: unknown[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === "example" || key === "default") found.push(member);
    else if (key === "examples") found.push(member);
    else collect(member, found);
  }
}
