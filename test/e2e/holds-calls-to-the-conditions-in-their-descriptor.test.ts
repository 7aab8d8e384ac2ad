/**
 * Goal: what a condition in CEL of the descriptor does not allow reaches no service, from whichever client, and who is refused hears
 * the rule's own words. Method: @grpc/grpc-js and Python's grpcio as clients, @grpc/grpc-js as service, `postern run` between them.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import {
  type Client,
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { descriptorSet, type FileText, fileRegistry, messageIn } from "../fixtures/descriptors.ts";
import { callUnary, createGrpcClient, openBidi, startGrpcServer } from "../fixtures/grpc.ts";
import { type PolicyPorts, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { PYTHON, runProgram, works } from "../fixtures/program.ts";
import { closeAll } from "../fixtures/proxy.ts";

const BOOKINGS: FileText = {
  package: "bookings.v1",
  messages: {
    Booking: {
      start: ["google.protobuf.Timestamp", 1],
      end: ["google.protobuf.Timestamp", 2],
      guests: ["repeated Guest", 3],
      contact: ["string", 4, { cel: [{ id: "booking.contact", expression: "this == '' || this.isEmail()" }] }],
    },
    Guest: { name: ["string", 1], age: ["int32", 2] },
  },
  options: {
    Booking: {
      "[buf.validate.message]": {
        cel: [
          { id: "booking.order", message: "expected an end behind the start", expression: "this.start < this.end" },
          {
            id: "booking.adult",
            expression: "this.guests.exists(g, g.age >= 18) ? '' : 'expected somebody who is of age'",
          },
          { id: "booking.names", expression: "this.guests.map(g, g.name).unique()" },
        ],
      },
    },
  },
  services: { Bookings: { Book: "Booking Booking", Chat: "stream Booking stream Booking" } },
};

const policy = ({ port, app }: PolicyPorts): string => `version: 1
service: bookings
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    protocols: [h2]
    tls: { certificate: server.pem, key: server.key }
upstreams:
  app: { address: "h2c://127.0.0.1:${app}" }
grpc:
  - { file: bookings.binpb, public: true }
`;

const BOOK = "/bookings.v1.Bookings/Book";
const Booking = messageIn(fileRegistry(BOOKINGS), "bookings.v1.Booking");
const booking = (changed: JsonObject = {}): Buffer => {
  const good = {
    start: "2026-01-01T00:00:00.000000001Z",
    end: "2026-01-01T00:00:00.000000002Z",
    guests: [
      { name: "a", age: 3 },
      { name: "b", age: 18 },
    ],
    contact: "a@b.example",
  };
  return Buffer.from(toBinary(Booking, fromJson(Booking, { ...good, ...changed })));
};

const WRONG: readonly (readonly [what: string, changed: JsonObject, told: string])[] = [
  ["an end before the start, by a nanosecond", { end: "2026-01-01T00:00:00Z" }, "expected an end behind the start"],
  ["an end that is the start", { end: "2026-01-01T00:00:00.000000001Z" }, "expected an end behind the start"],
  ["nobody who is of age", { guests: [{ name: "a", age: 17 }] }, "expected somebody who is of age"],
  [
    "one name twice",
    {
      guests: [
        { name: "a", age: 18 },
        { name: "a", age: 19 },
      ],
    },
    "expected what the rule asks for",
  ],
  ["a contact that is none", { contact: "secret at example" }, "expected what the rule asks for"],
];

let got: Buffer[] = [];
let postern: Postern;
let client: Client;
let ca = "";

beforeAll(async () => {
  const { pki } = await theWorld();
  const methods = { book: [BOOK, false, false], chat: ["/bookings.v1.Bookings/Chat", true, true] } as const;
  const app = await startGrpcServer(methods, {
    book: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      got.push(call.request);
      answer(null, call.request);
    },
    chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on("data", (message: Buffer) => {
        got.push(message);
        call.write(message);
      });
      call.on("error", () => {});
      call.on("end", () => call.end());
    },
  });
  postern = await startPostern(app, policy, { "bookings.binpb": descriptorSet(BOOKINGS) });
  client = createGrpcClient(postern.port, pki.ca.certificate);
  ca = `${postern.folder}/ca-of-test.pem`;
  writeFileSync(ca, pki.ca.certificate);
});
afterAll(closeAll);
beforeEach(() => {
  got = [];
});

describe("a client of Node", () => {
  test("reaches the service where every condition holds", async () => {
    expect((await callUnary(client, booking(), new Metadata(), BOOK)).code).toBe(status.OK);
    expect(got).toEqual([booking()]);
  });

  test.each(WRONG)("does not with %s, and hears why", async (_what, changed, told) => {
    const { code, trailers } = await callUnary(client, booking(changed), new Metadata(), BOOK);
    expect([code, trailers.get("x-postern-reason")[0]]).toEqual([status.INVALID_ARGUMENT, "body_schema_mismatch"]);
    const details = Buffer.from(trailers.get("grpc-status-details-bin")[0] ?? "").toString("latin1");
    expect(details).toContain(told);
    expect(details).not.toContain("secret");
    expect(got).toEqual([]);
  });

  test("has a stream ended by the first message that a condition does not allow", async () => {
    const call = openBidi(client, new Metadata(), "/bookings.v1.Bookings/Chat");
    const answered = new Promise((resolve) => call.once("data", resolve));
    call.write(booking());
    expect(await answered).toEqual(booking());
    const ended = new Promise((resolve) =>
      call.once("error", (error: Error & { code?: number }) => resolve(error.code)),
    );
    call.write(booking({ end: "2026-01-01T00:00:00Z" }));
    expect(await ended).toBe(status.INVALID_ARGUMENT);
    expect(got).toEqual([booking()]);
  });
});

describe("a client of Python", () => {
  beforeEach(({ skip }) => skip(!works(`${PYTHON} -c 'import grpc'`), "python3-grpcio is not installed"));

  test("is held to the same", async () => {
    const sent = [booking(), ...WRONG.map(([, changed]) => booking(changed))];
    const lines = sent.map((message) => `${BOOK} none ${message.toString("hex")}`);
    const script = fileURLToPath(new URL("../fixtures/clients/grpc_calls.py", import.meta.url));
    const told: unknown = JSON.parse(await runProgram([PYTHON, script, String(postern.port), ca], lines.join("\n")));
    expect(told).toEqual([
      { code: "OK", answer: booking().toString("hex") },
      ...WRONG.map(() => ({ code: "INVALID_ARGUMENT", reason: "body_schema_mismatch" })),
    ]);
    expect(got).toEqual([booking()]);
  });
});
