import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../src/decision/verdict.ts";
import type { Check } from "../../src/filters/filter.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { BodySink } from "../../src/message/body.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { WatchedBody } from "../../src/proxy/watched-body.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";
import { binary, framed, GOOD_ORDER, ORDERS_SET } from "../fixtures/orders-api.ts";
import { type Compiled, compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

await validateFilter.prepare?.();
await validateFilter.parts?.["grpc"]?.();

const CREATE = "orders.v1.Orders/Create";
const IMPORT = "orders.v1.Orders/Import";

const stillClock: Clock = { ...systemClock, monotonicMs: () => 0 };

function compile(grpc: object = {}, more: object = {}, clock: Clock = stillClock): Compiled {
  const settings = { grpc: { file: "orders.binpb", method: CREATE, ...grpc }, ...more };
  return compileFilter(validateFilter, settings, { files: { "orders.binpb": ORDERS_SET }, clock });
}

interface Call {
  readonly check: Check;
  readonly pieces: readonly Buffer[];
  readonly type?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly protocol?: "h2" | "http/1.1";
}

/** As the pipeline has it: the check, then its watch while the body streams; with what the service gets. */
async function run(call: Call): Promise<{ verdict: Verdict; service: Buffer; exchange: Exchange }> {
  const { check, pieces, type = "application/grpc", headers = [], protocol = "h2" } = call;
  const exchange = createExchange({
    method: "POST",
    protocol,
    headers: [["content-type", type], ...headers],
    body: new MemoryBody(pieces),
  });
  const early = await check.evaluate(exchange);
  const out: Buffer[] = [];
  if (early !== CONTINUE) return { verdict: early, service: Buffer.alloc(0), exchange };
  if (exchange.collectedBody !== null) return { verdict: early, service: exchange.collectedBody, exchange };
  const watch = check.watch?.(exchange) ?? null;
  const verdict = await new Promise<Verdict>((resolve) => {
    let open = Buffer.alloc(0);
    let isOver = false;
    const settle = (verdict: Verdict): void => {
      isOver = true;
      resolve(verdict);
    };
    const sink: BodySink = {
      onBody: (chunk) => {
        if (isOver) return true;
        open = Buffer.concat([open, chunk]);
        const staying = watch?.scan(chunk) ?? 0;
        if (staying instanceof Promise) throw new Error("nothing of it takes long");
        if (staying instanceof Denial) settle(staying);
        else {
          out.push(open.subarray(0, open.length - staying));
          open = open.subarray(open.length - staying);
        }
        return true;
      },
      onBodyEnd: () => {
        if (isOver) return;
        const verdict = watch?.end() ?? CONTINUE;
        if (verdict instanceof Promise) throw new Error("nothing of it takes long");
        if (verdict === CONTINUE) out.push(open);
        settle(verdict);
      },
      onBodyFailure: (reason) => settle(new Denial(reason, null, reason, "")),
    };
    exchange.body.start(sink, Number.POSITIVE_INFINITY);
  });
  return { verdict, service: Buffer.concat(out), exchange };
}

const reasonOf = async (call: Call): Promise<string | null> => (await run(call)).verdict?.reason ?? null;

const order = binary("Order", GOOD_ORDER);
const item = (at: number): Buffer => binary("Item", { sku: `ABC-${at}`, quantity: 1 });

describe("members of a message, for rules that look at them", () => {
  const wanted = { files: { "orders.binpb": ORDERS_SET }, clock: stillClock, isBodyWanted: true };
  const compileWanted = (grpc: object = {}): Compiled =>
    compileFilter(validateFilter, { grpc: { file: "orders.binpb", method: CREATE, ...grpc } }, wanted);
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  const json = { id: GOOD_ORDER.id, items: [{ sku: "ABC-1", quantity: 2 }], note: "", labels: {} };

  test("are fields by their names, with zero where a service reads zero", async () => {
    const check = onlyCheck(compileWanted({ protocols: ["grpc", "connect"], unknownFields: "strip" }));
    const message = binary("Order", { id: json.id, items: json.items });
    const { exchange } = await run({ check, pieces: [framed(message)] });
    expect(plain(exchange.bodyValue)).toEqual(json);
    const unknown = Buffer.concat([message, Buffer.from("7801", "hex")]);
    const bare = await run({ check, pieces: [unknown], type: "application/proto" });
    expect(plain(bare.exchange.bodyValue)).toEqual(json);
    const inJson = Buffer.from(JSON.stringify({ ...json, items: [{ sku: "ABC-1", quantity: "2" }] }));
    const ofJson = await run({ check, pieces: [inJson], type: "application/json" });
    expect(plain(ofJson.exchange.bodyValue)).toEqual(json);
  });

  test("are kept of what fits alone, and where somebody asks", async () => {
    const wrong = framed(binary("Order", { id: json.id }));
    expect((await run({ check: onlyCheck(compileWanted()), pieces: [wrong] })).exchange.bodyValue).toBeUndefined();
    const good = framed(binary("Order", GOOD_ORDER));
    expect((await run({ check: onlyCheck(compile()), pieces: [good] })).exchange.bodyValue).toBeUndefined();
  });

  test("of a stream there are none", () => {
    const { problems } = compileWanted({ method: IMPORT });
    expect(JSON.stringify(problems)).toContain("a rule looks at members of the body, which passes message by message");
  });
});

describe("a call of one message", () => {
  const check = onlyCheck(compile());

  test("passes as it came, cut anywhere", async () => {
    const body = framed(order);
    for (let at = 0; at <= body.length; at++) {
      const { verdict, service } = await run({ check, pieces: [body.subarray(0, at), body.subarray(at)] });
      expect([verdict, service]).toEqual([CONTINUE, body]);
    }
  });

  test.each<[string, Buffer, string]>([
    ["nothing", Buffer.alloc(0), "grpc_invalid"],
    ["less than a prefix", Buffer.from([0, 0, 0]), "grpc_invalid"],
    ["a message that is cut off", framed(order).subarray(0, -1), "grpc_invalid"],
    ["two messages", Buffer.concat([framed(order), framed(order)]), "grpc_invalid"],
    ["a message and more", Buffer.concat([framed(order), Buffer.from([0])]), "grpc_invalid"],
    ["a length of nearly 4 GiB", Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]), "body_too_large"],
    ["a length beyond the bytes", Buffer.from([0, 0, 0, 0, 9, 1]), "grpc_invalid"],
    ["a length before the end", Buffer.concat([framed(order.subarray(0, -3)), order.subarray(-3)]), "grpc_invalid"],
    ["a compressed message without an encoding", framed(gzipSync(order), 1), "grpc_invalid"],
    ["flags that mean nothing in a request", framed(order, 2), "grpc_invalid"],
    ["trailers, as an answer of gRPC-Web has them", framed(Buffer.from("grpc-status: 0\r\n"), 0x80), "grpc_invalid"],
    ["no message of the type", framed(Buffer.from([0x0f])), "grpc_invalid"],
    ["a message that breaks a rule", framed(binary("Order", { ...GOOD_ORDER, items: [] })), "body_schema_mismatch"],
    ["a field that nobody declared", framed(Buffer.concat([order, Buffer.from([0x98, 6, 1])])), "body_schema_mismatch"],
  ])("%s is refused", async (_, body, reason) => {
    expect(await reasonOf({ check, pieces: [body] })).toBe(reason);
  });

  test.each<[string, Partial<Call>]>([
    ["over HTTP/1.1", { protocol: "http/1.1" }],
    ["as JSON", { type: "application/grpc+json" }],
    ["as JSON, of nobody", { type: "application/json" }],
    ["as gRPC-Web where the route does not take it", { type: "application/grpc-web+proto" }],
    ["in a type that only resembles it", { type: "application/grpcx" }],
    ["with two types", { headers: [["content-type", "application/json"]] }],
    ["with its type in another spelling, too", { headers: [["content_type", "application/json"]] }],
  ])("%s is refused by its head", async (_, more) => {
    expect(await reasonOf({ check, pieces: [framed(order)], ...more })).toBe("content_type_unsupported");
  });

  test.each<[string, readonly (readonly [string, string])[]]>([
    ["an encoding that nobody can look into", [["grpc-encoding", "snappy"]]],
    [
      "two encodings",
      [
        ["grpc-encoding", "identity"],
        ["grpc-encoding", "gzip"],
      ],
    ],
    ["an encoding in another spelling", [["grpc_encoding", "gzip"]]],
    ["a body that is compressed as a whole", [["content-encoding", "gzip"]]],
  ])("%s is refused", async (_, headers) => {
    expect(await reasonOf({ check, pieces: [framed(order)], headers })).toBe("content_encoding_unsupported");
  });

  test("client libraries may say more in the type", async () => {
    for (const type of ["application/grpc+proto", "application/grpc; charset=utf-8", "Application/gRPC"])
      expect(await reasonOf({ check, pieces: [framed(order)], type })).toBeNull();
  });
});

describe("compressed messages", () => {
  const headers = [["grpc-encoding", "gzip"]] as const;
  const check = onlyCheck(compile());

  test("are judged and go on as what they hold", async () => {
    const { verdict, service } = await run({ check, pieces: [framed(gzipSync(order), 1)], headers });
    expect([verdict, service]).toEqual([CONTINUE, framed(order)]);
    const plain = await run({ check, pieces: [framed(order)], headers });
    expect([plain.verdict, plain.service]).toEqual([CONTINUE, framed(order)]);
    const deflated = await run({
      check,
      pieces: [framed(deflateSync(order), 1)],
      headers: [["grpc-encoding", "deflate"]],
    });
    expect(deflated.service).toEqual(framed(order));
  });

  test("are refused where they are damaged, hold too much, or the policy says so", async () => {
    const damaged = gzipSync(order).subarray(0, -6);
    expect(await reasonOf({ check, pieces: [framed(damaged, 1)], headers })).toBe("content_encoding_invalid");
    const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024));
    expect(await reasonOf({ check, pieces: [framed(bomb, 1)], headers })).toMatch(
      /^body_(inflates_too_much|too_large)$/,
    );
    const small = onlyCheck(compile({ maxMessageBytes: "64B" }));
    expect(await reasonOf({ check: small, pieces: [framed(gzipSync(order), 1)], headers })).toBe("body_too_large");
    const refusing = onlyCheck(compile({ compression: "refuse" }));
    expect(await reasonOf({ check: refusing, pieces: [framed(order)], headers })).toBe("content_encoding_unsupported");
  });
});

describe("a stream of messages", () => {
  const check = onlyCheck(compile({ method: IMPORT }));
  const stream = Buffer.concat([framed(item(1)), framed(item(2)), framed(item(3))]);
  const cut = (body: Buffer, size: number): Buffer[] =>
    Array.from({ length: Math.ceil(body.length / size) }, (_, at) => body.subarray(at * size, (at + 1) * size));

  test("passes as it came, wherever it is cut, also without any", async () => {
    for (let size = 1; size <= stream.length; size++) {
      const { verdict, service } = await run({ check, pieces: cut(stream, size) });
      expect([verdict, service]).toEqual([CONTINUE, stream]);
    }
    expect(await reasonOf({ check, pieces: [Buffer.alloc(0)] })).toBeNull();
  });

  test("of a message that is wrong no byte goes on, wherever it is cut", async () => {
    const wrong = framed(binary("Item", { sku: "secret", quantity: 1 }));
    const body = Buffer.concat([framed(item(1)), wrong, framed(item(2))]);
    for (let size = 1; size <= body.length; size++) {
      const { verdict, service } = await run({ check, pieces: cut(body, size) });
      expect(verdict?.reason).toBe("body_schema_mismatch");
      expect(framed(item(1)).subarray(0, service.length)).toEqual(service);
    }
  });

  test("that ends in the middle of a message is refused", async () => {
    for (let at = stream.length - 1; at > stream.length - framed(item(3)).length; at--)
      expect(await reasonOf({ check, pieces: [stream.subarray(0, at)] })).toBe("grpc_invalid");
  });

  test("loses what nobody declared, and its compression, on the way", async () => {
    const stripping = onlyCheck(compile({ method: IMPORT, unknownFields: "strip" }));
    const odd = Buffer.concat([item(2), Buffer.from([0x38, 1])]);
    const body = Buffer.concat([framed(item(1)), framed(odd), framed(gzipSync(item(3)), 1)]);
    for (let size = 1; size <= body.length; size++) {
      const { verdict, service } = await run({
        check: stripping,
        pieces: cut(body, size),
        headers: [["grpc-encoding", "gzip"]],
      });
      expect([verdict, service]).toEqual([CONTINUE, stream]);
    }
  });

  test.each<[string, Buffer, string]>([
    ["is cut off", framed(item(2)).subarray(0, -2), "grpc_invalid"],
    ["has no prefix", Buffer.from([0, 0]), "grpc_invalid"],
    ["has flags of its own", framed(item(2), 9), "grpc_invalid"],
    ["is too long", Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]), "body_too_large"],
    ["is damaged", framed(Buffer.from("no gzip"), 1), "content_encoding_invalid"],
    ["breaks a rule", framed(binary("Item", { sku: "x" })), "body_schema_mismatch"],
  ])("where messages are changed on the way, one that %s is refused all the same", async (_, last, reason) => {
    const stripping = onlyCheck(compile({ method: IMPORT, unknownFields: "strip" }));
    const body = Buffer.concat([framed(item(1)), last]);
    for (const size of [1, 3, 7, body.length]) {
      const { verdict, service } = await run({
        check: stripping,
        pieces: cut(body, size),
        headers: [["grpc-encoding", "gzip"]],
      });
      expect(verdict?.reason).toBe(reason);
      expect(framed(item(1)).subarray(0, service.length)).toEqual(service);
    }
  });
});

describe("many messages in one piece", () => {
  /** Each look at it is a slice later. */
  const quickClock = (): Clock => {
    let now = 0;
    return { ...systemClock, monotonicMs: () => (now += 3) };
  };

  /** What the service gets of a stream that all comes at once, why it ends, and how often others had their turn. */
  async function pass(grpc: object, body: Buffer, type = "application/grpc") {
    const check = onlyCheck(compile({ method: IMPORT, ...grpc }, {}, quickClock()));
    const exchange = createExchange({
      method: "POST",
      protocol: "h2",
      headers: [
        ["content-type", type],
        ["grpc-encoding", "gzip"],
      ],
      body: new MemoryBody([body.subarray(0, -4), body.subarray(-4)]),
    });
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const early = await check.evaluate(exchange);
    const out: Buffer[] = exchange.collectedBody === null ? [] : [exchange.collectedBody];
    const watch = check.watch?.(exchange) ?? null;
    const end =
      watch === null
        ? (early?.reason ?? null)
        : await new Promise<string | null>((resolve) => {
            const sink: BodySink = {
              onBody: (chunk) => out.push(chunk) > 0,
              onBodyEnd: () => resolve(null),
              onBodyFailure: resolve,
            };
            const subject = { exchange, deny: ({ reason }: Denial) => resolve(reason) };
            exchange.body.start(
              new WatchedBody(
                sink,
                {
                  check: {
                    name: "validate",
                    place: { file: "policy.yaml", line: 1, column: 1, path: "routes[0].validate" },
                  },
                  watch,
                  isEnforced: true,
                },
                subject,
                unlimitedMemory(),
              ),
              Number.POSITIVE_INFINITY,
            );
          });
    isOver = true;
    return { service: Buffer.concat(out), end, turns };
  }

  const items = Array.from({ length: 40 }, (_, at) => item(at));
  const plain = Buffer.concat(items.map((one) => framed(one)));
  const compressed = Buffer.concat(items.map((one) => framed(gzipSync(one), 1)));

  test.each<[string, object, Buffer, string?]>([
    ["as they came", {}, plain],
    ["compressed", {}, compressed],
    ["stripped", { unknownFields: "strip" }, plain],
    ["in base64", { protocols: ["grpcWeb"] }, Buffer.from(plain.toString("base64")), "application/grpc-web-text"],
  ])("give way to others between two of them, %s", async (_, grpc, body, type) => {
    const { service, end, turns } = await pass(grpc, body, type);
    expect(end).toBeNull();
    expect(type === undefined ? service : Buffer.from(service.toString(), "base64")).toEqual(plain);
    expect(turns).toBeGreaterThan(items.length / 2);
  });

  test.each<[string, Buffer, string]>([
    ["breaks a rule", framed(gzipSync(binary("Item", { sku: "x" })), 1), "body_schema_mismatch"],
    ["is cut off", framed(item(1)).subarray(0, -2), "grpc_invalid"],
    ["has flags of its own", framed(item(1), 9), "grpc_invalid"],
  ])("end with the first that %s", async (_, wrong, reason) => {
    const { service, end } = await pass({}, Buffer.concat([compressed, wrong]));
    expect(end).toBe(reason);
    expect(service).toEqual(plain);
  });
});

describe("gRPC-Web", () => {
  const check = onlyCheck(compile({ protocols: ["grpcWeb"], unknownFields: "strip" }));
  const odd = framed(Buffer.concat([order, Buffer.from([0x98, 6, 1])]));

  test("comes over HTTP/1.1 as well, in bytes or in base64", async () => {
    const call = { check, protocol: "http/1.1" } as const;
    const bytes = await run({ ...call, type: "application/grpc-web+proto", pieces: [framed(order)] });
    expect([bytes.verdict, bytes.service]).toEqual([CONTINUE, framed(order)]);
    const text = Buffer.from(framed(order).toString("base64"));
    const coded = await run({ ...call, type: "application/grpc-web-text", pieces: [text] });
    expect([coded.verdict, coded.service]).toEqual([CONTINUE, text]);
  });

  test("goes on in base64 where it came so and was changed", async () => {
    const { service } = await run({
      check,
      type: "application/grpc-web-text",
      pieces: [Buffer.from(odd.toString("base64"))],
    });
    expect(service.toString()).toBe(framed(order).toString("base64"));
  });

  test.each([
    ["without padding", (text: string) => text.replace(/=+$/, "")],
    ["with a line end", (text: string) => `${text}\n`],
    ["with more behind the padding", (text: string) => `${text}AAAA`],
    ["of the alphabet for URLs", (text: string) => `${text.slice(0, -4)}_-_-`],
  ])("is refused in base64 %s, which some read and others do not", async (_, change) => {
    const text = framed(Buffer.concat([order, Buffer.from([0x18])])).toString("base64");
    const padded = text.endsWith("=") ? text : framed(order).toString("base64");
    const { verdict } = await run({ check, type: "application/grpc-web-text", pieces: [Buffer.from(change(padded))] });
    expect(verdict?.reason).toBe("grpc_invalid");
  });
});

test("what is only audited goes on as it came, and is told", async () => {
  const check = onlyCheck(compile({ unknownFields: "strip" }, { mode: "audit" }));
  const body = framed(Buffer.concat([order, Buffer.from([0x98, 6, 1])]));
  const exchange = createExchange({
    method: "POST",
    protocol: "h2",
    headers: [["content-type", "application/grpc"]],
    body: new MemoryBody([body]),
  });
  expect(await check.evaluate(exchange)).toMatchObject({ reason: "body_schema_mismatch" });
  expect(exchange.collectedBody).toEqual(body);
});

describe("what is wrong in the policy is told", () => {
  const texts = (compiled: Compiled) => compiled.problems.map(({ path, text }) => `${path}: ${text}`);

  test("a method that is not there, a file that is none, a key that says the same", () => {
    expect(texts(compile({ method: "orders.v1.Orders/Creat" }))).toEqual([
      "validate.grpc.method: 'orders.binpb' has no method 'orders.v1.Orders/Creat'; did you mean 'orders.v1.Orders/Create'?",
    ]);
    const files = { "orders.binpb": "syntax = 'proto3';" };
    const other = compileFilter(validateFilter, { grpc: { file: "orders.binpb", method: CREATE } }, { files });
    expect(texts(other)[0]).toContain("is no set of descriptors; expected what 'protoc");
    expect(texts(compile({}, { contentType: ["application/grpc"] }))).toEqual([
      "validate.contentType: 'grpc' says what bodies are; take 'contentType' out",
    ]);
  });
});
