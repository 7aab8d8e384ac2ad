import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { ANY_METHOD_EXTENSION, extensionsOf, isReadExtension, MUTUAL_TLS_EXTENSION } from "./extensions.ts";
import { noteFields } from "./fields.ts";
import { answersOf, bodyOf, type Reading } from "./media.ts";
import type { Operation, Requirement } from "./operation.ts";
import { parametersOf } from "./parameters.ts";
import { securityAt, withCertificate } from "./security.ts";
import { basesOf } from "./servers.ts";
import { isMembers, type Spot } from "./spot.ts";
import type { Version } from "./versions.ts";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const;

/** Methods that a path item has a member for, in lower case; others stand in `additionalOperations`. */
export const FIXED_METHODS: ReadonlySet<string> = new Set([...METHODS, "query"].map((method) => method.toUpperCase()));

const METHOD = /^[A-Z][A-Z0-9-]{0,31}$/;

/** What the whole document says of operations that say nothing themselves. */
interface Usual {
  readonly root: Spot;
  readonly bases: readonly string[];
  readonly security: readonly Requirement[] | null;
}

/** Every operation of `paths`, in the order of the document. Webhooks and callbacks are requests of the service's own. */
export function* readOperations(root: Spot, version: Version, reading: Reading): Steps<readonly Operation[]> {
  const { references, findings } = reading;
  const bases = basesOf(root.at("servers"), findings);
  const usual = { root, bases, security: securityAt(root.at("security"), reading) };
  const operations: Operation[] = [];
  noteExtensions(root, reading);
  noteFields(root, "the document", findings);
  const overloads = root.at("x-ms-paths");
  if (overloads !== null)
    findings.warning(
      overloads.place,
      "paths that differ by their query are no routes; the operations of 'x-ms-paths' are left out",
    );
  const ids = new Map<string, Spot>();
  for (const [template, written] of root.at("paths")?.all() ?? []) {
    if (template.startsWith("x-")) continue;
    if (!template.startsWith("/")) {
      findings.warning(written.place, `'${template}' does not begin with /; its operations are left out`);
      continue;
    }
    const item = references.follow(written, "its operations are left out");
    if (item !== null) {
      noteExtensions(item, reading);
      noteFields(item, "a path", findings);
    }
    for (const [method, spot] of item === null ? [] : operationsIn(item, written, version, reading)) {
      if (operations.length >= DEFAULTS.openapiOperationsMax) {
        findings.problem(spot.place, `more than ${DEFAULTS.openapiOperationsMax} operations`);
        return operations;
      }
      noteExtensions(spot, reading);
      noteFields(spot, "an operation", findings);
      const operation = readOperation(template, method, item ?? written, spot, usual, reading);
      const before = operation.id === null ? spot : (ids.get(operation.id) ?? spot);
      if (before.pointer !== spot.pointer) {
        findings.warning(
          operation.place,
          `a second operation is called '${operation.id}'; expected another 'operationId'`,
        );
      }
      if (operation.id !== null) ids.set(operation.id, before);
      operations.push(operation);
      yield;
    }
  }
  return operations;
}

/** Gateways say much by them, and who moves away from one should hear what is not heard here. */
function noteExtensions(spot: Spot, { findings }: Reading): void {
  for (const name of Object.keys(spot.members)) {
    if (name.startsWith("x-") && !isReadExtension(name)) findings.extension(name, spot.at(name)?.place ?? spot.place);
  }
}

/** Of the path item itself and, in 3.0, of what stands beside its reference; methods in upper case. */
function* operationsIn(
  item: Spot,
  written: Spot,
  version: Version,
  { findings }: Reading,
): Generator<readonly [string, Spot]> {
  const owners = item === written ? [item] : [written, item];
  const seen = new Set<string>();
  for (const owner of owners) {
    for (const [method, spot] of methodsIn(owner, version)) {
      if (seen.has(method)) {
        findings.warning(spot.place, `${method} stands here and in what '$ref' leads to; the one beside '$ref' counts`);
        continue;
      }
      seen.add(method);
      if (!METHOD.test(method)) {
        findings.warning(spot.place, `'${method}' is no method in upper case; the operation is left out`);
      } else if (method === "TRACE" || method === "CONNECT") {
        findings.warning(spot.place, `${method} is never forwarded; the operation is left out`);
      } else if (!isMembers(spot.value)) {
        findings.warning(spot.place, "expected an operation; it is left out");
      } else yield [method, spot];
    }
  }
}

function* methodsIn(owner: Spot, version: Version): Generator<readonly [string, Spot]> {
  for (const method of METHODS) {
    const spot = owner.at(method);
    if (spot !== null) yield [method.toUpperCase(), spot];
  }
  const any = owner.at(ANY_METHOD_EXTENSION);
  if (any !== null)
    for (const method of METHODS)
      if (method !== "trace" && owner.at(method) === null) yield [method.toUpperCase(), any];
  if (version !== "3.2") return;
  const query = owner.at("query");
  if (query !== null) yield ["QUERY", query];
  for (const [method, spot] of owner.at("additionalOperations")?.all() ?? []) yield [method, spot];
}

function readOperation(
  template: string,
  method: string,
  item: Spot,
  spot: Spot,
  usual: Usual,
  reading: Reading,
): Operation {
  const own = securityAt(spot.at("security"), reading);
  const security = own ?? usual.security;
  const mutual = usual.root.text(MUTUAL_TLS_EXTENSION) === "mandatory" ? usual.root.at(MUTUAL_TLS_EXTENSION) : null;
  const servers = spot.at("servers") ?? item.at("servers");
  const id = spot.text("operationId");
  return {
    id: id === "" ? null : id,
    method,
    template,
    bases: servers === null ? usual.bases : basesOf(servers, reading.findings),
    place: spot.place,
    pointer: spot.pointer,
    deprecated: spot.flag("deprecated"),
    parameters: parametersOf(item, spot, reading),
    body: bodyOf(spot, reading),
    security: mutual === null ? security : withCertificate(security, mutual),
    extensions: extensionsOf([spot, item, usual.root]),
    answers: () => answersOf(spot, reading),
  };
}
