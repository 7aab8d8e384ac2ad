import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Contestant } from "./contestant.ts";
import { askH2 } from "./h2-ask.ts";
import { brokenOrderOf, orderOf } from "./order.ts";
import { searchedRequest } from "./searched.ts";
import type { Workload } from "./workloads.ts";
import {
  ANSWER_PATHS,
  ANSWERS,
  BODY,
  DENIED_ADDRESS,
  ECHO_PATH,
  HIDDEN_MEMBER,
  POST_PATH,
  type World,
} from "./world.ts";

export interface RequestParts {
  readonly token: string | null;
  readonly path: string;
  /** What is posted; null: a GET. */
  readonly body: string | null;
  /** Its media type; JSON if absent. */
  readonly type?: string;
}

/** How an attempt ended: the status of the answer, or the connection was refused before one. */
type Outcome = number | "handshake";

interface Attempt extends RequestParts {
  readonly title: string;
  readonly withCertificate: boolean;
  readonly localAddress: string;
  readonly expected: Outcome;
}

export interface Answer {
  readonly outcome: Outcome;
  readonly head: string;
  readonly body: string;
}

const ANSWER_TIMEOUT_MS = 5_000;

/** The request of the measured load, or a variant of it. */
export function requestText({ token, path, body, type = "application/json" }: RequestParts, close: boolean): string {
  const authorization = token === null ? "" : `Authorization: Bearer ${token}\r\n`;
  const connection = close ? "Connection: close\r\n" : "";
  const content = body === null ? "" : `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n`;
  return (
    `${body === null ? "GET" : "POST"} ${path} HTTP/1.1\r\nHost: orders.example.org\r\nUser-Agent: bench\r\nAccept: application/json\r\n` +
    `${authorization}${content}${connection}\r\n${body ?? ""}`
  );
}

/** Throws where a contestant does not do the work that is to be measured. */
export async function assertCorrect(contestant: Contestant, workload: Workload, world: World, port: number) {
  for (const attempt of attempts(contestant, workload, world)) {
    const answer = await ask(attempt, workload, world, port);
    if (answer.outcome !== attempt.expected) {
      const text = `${attempt.title}: expected ${attempt.expected}, got ${answer.outcome}`;
      throw new Error(`${contestant.name} on ${workload.name}: ${text}\n${answer.head}`);
    }
    if (attempt.path === ECHO_PATH) assertForwarded(contestant, workload, answer);
    else if (attempt.expected === 200 && !isExpected(answer, attempt, workload)) {
      throw new Error(`${contestant.name} on ${workload.name}: another body than the service's: ${answer.body}`);
    }
  }
}

/** Fields that are removed are gone, and nothing else is. */
function isExpected({ head, body }: Answer, { path }: Attempt, { answer, fields }: Workload): boolean {
  const sent = path === ANSWER_PATHS[answer] ? ANSWERS[answer] : BODY;
  const text = /^transfer-encoding: *chunked/im.test(head) ? unchunked(body) : body;
  return text === (fields ? sent.replaceAll(HIDDEN_MEMBER, "") : sent);
}

function unchunked(body: string): string {
  let text = "";
  for (let at = 0; at < body.length; ) {
    const from = body.indexOf("\r\n", at) + 2;
    const size = Number.parseInt(body.slice(at, from), 16);
    text += body.slice(from, from + size);
    at = from + size + 2;
  }
  return text;
}

/** Whether the good request is answered; for the wait until a contestant is ready. */
export async function answers(workload: Workload, world: World, port: number): Promise<boolean> {
  return (await ask(good(workload, world), workload, world, port)).outcome === 200;
}

/** What is measured. */
export function goodRequest(workload: Workload, world: World): RequestParts {
  const token = workload.policy === "full" ? world.tokens.good : null;
  if (workload.searched !== null) return { token, ...searchedRequest(workload.searched, false) };
  if (workload.work !== "post") return { token, path: ANSWER_PATHS[workload.answer], body: null };
  return { token, path: POST_PATH, body: orderOf(workload.articles) };
}

function good(workload: Workload, world: World): Attempt {
  return {
    ...goodRequest(workload, world),
    title: "the good request",
    withCertificate: true,
    localAddress: "127.0.0.1",
    expected: 200,
  };
}

function attempts(contestant: Contestant, workload: Workload, world: World): Attempt[] {
  const base = good(workload, world);
  const { tokens } = world;
  const list: Attempt[] = [base, { ...base, title: "the echo", path: ECHO_PATH, body: null }];
  if (workload.transport === "mtls") {
    const expected = contestant.refusesWithoutCertificate;
    list.push({ ...base, title: "no client certificate", withCertificate: false, expected });
  }
  if (workload.policy === "full") {
    list.push(
      { ...base, title: "no token", token: null, expected: 401 },
      { ...base, title: "not a token", token: "a.b.c", expected: 401 },
      { ...base, title: "wrong scope", token: tokens.wrongScope, expected: 403 },
      { ...base, title: "expired token", token: tokens.expired, expected: 401 },
      { ...base, title: "tampered token", token: tokens.tampered, expected: 401 },
      { ...base, title: "wrong audience", token: tokens.wrongAudience, expected: 401 },
      { ...base, title: "wrong issuer", token: tokens.wrongIssuer, expected: 401 },
      { ...base, title: "denied address", localAddress: DENIED_ADDRESS, expected: 403 },
      { ...base, title: "no such route", path: "/v2/orders", expected: 404 },
      { ...base, title: "the good request again" },
    );
  }
  if (workload.searched !== null) {
    return [base, { ...base, ...searchedRequest(workload.searched, true), title: "an attack", expected: 403 }];
  }
  if (workload.work === "post") {
    const expected = contestant.validates ? 422 : 200;
    list.push({ ...base, title: "a body that breaks the schema", body: brokenOrderOf(workload.articles), expected });
  }
  return list;
}

/** Header rules: what the service saw, and what of its answer came through. */
function assertForwarded(contestant: Contestant, workload: Workload, answer: Answer): void {
  const scheme = workload.transport === "plain" ? "http" : "https";
  const wanted = `127.0.0.1|${scheme}||orders.example.org`;
  if (answer.body !== wanted) throw new Error(`${contestant.name}: the service saw ${answer.body}, not ${wanted}`);
  if (workload.policy === "full" && /^(?:server|x-powered-by):/im.test(answer.head)) {
    throw new Error(`${contestant.name} on ${workload.name}: response headers that should be off\n${answer.head}`);
  }
}

function ask(attempt: Attempt, workload: Workload, world: World, port: number): Promise<Answer> {
  if (workload.protocol === "h2") return askH2(attempt, world, port);
  return new Promise((resolve) => {
    let received = "";
    const socket = open(attempt, workload, world, port);
    const finish = () => {
      socket.destroy();
      const headEnd = received.indexOf("\r\n\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(received)?.[1]);
      const outcome = headEnd < 0 || Number.isNaN(status) ? "handshake" : status;
      resolve({ outcome, head: received.slice(0, headEnd), body: received.slice(headEnd + 4) });
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, finish);
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
      // Not all close the connection, though they were asked to.
      if (isWhole(received)) finish();
    });
    socket.on("error", finish);
    socket.on("close", finish);
    socket.write(requestText(attempt, true));
  });
}

/** Whether it holds as many bytes as it announces; an answer without a length ends with its connection. */
function isWhole(received: string): boolean {
  const headEnd = received.indexOf("\r\n\r\n");
  const length = /^content-length: *(\d+)/im.exec(received.slice(0, Math.max(0, headEnd)))?.[1];
  if (length === undefined && received.endsWith("\r\n0\r\n\r\n")) return true;
  return length !== undefined && received.length >= headEnd + 4 + Number(length);
}

function open(attempt: Attempt, workload: Workload, world: World, port: number): Socket {
  const { localAddress } = attempt;
  if (workload.transport === "plain") return connectTcp({ host: "127.0.0.1", port, localAddress });
  const certificate = attempt.withCertificate ? { cert: world.client.certificate, key: world.client.key } : {};
  const socket = connectTcp({ host: "127.0.0.1", port, localAddress });
  const secure = connectTls({ socket, servername: "localhost", ca: world.ca, minVersion: "TLSv1.3", ...certificate });
  socket.on("error", (error) => secure.destroy(error));
  return secure;
}
