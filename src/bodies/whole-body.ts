import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";
import { type MethodBody, methodScannerOf } from "./method-body.ts";
import type { MethodParameters } from "./method-parameters.ts";

/** Longer than what of a name is looked for, which two steps may cut. */
const OVERLAP_BYTES = 64;

/** Methods that a short body names which is here whole. */
export function methodsAtOnce(body: MethodBody, parameters: MethodParameters, bytes: Buffer): readonly string[] {
  const found: string[] = [];
  const scanner = methodScannerOf(body, parameters, bytes.length);
  scanner.scan(bytes, found);
  scanner.end(found);
  return found;
}

/** The same of a long one, each of them once, in steps: a megabyte may take tens of milliseconds. */
export function* methodsInSteps(
  body: MethodBody,
  parameters: MethodParameters,
  bytes: Buffer,
): Steps<readonly string[]> {
  if (isJsonAlone(body) && !(yield* mayBeInJson(parameters, bytes))) return [];
  const methods = new Set<string>();
  const found: string[] = [];
  const scanner = methodScannerOf(body, parameters, bytes.length);
  const stepBytes = DEFAULTS.bodyAtOnceBytesMax;
  for (let at = 0; at < bytes.length; at += stepBytes) {
    yield;
    scanner.scan(bytes.subarray(at, at + stepBytes), found);
    for (const method of found.splice(0)) methods.add(method);
  }
  scanner.end(found);
  return [...methods, ...found];
}

/** Read by nobody as anything but JSON. */
export function isJsonAlone({ json, form, sniffed, boundary }: MethodBody): boolean {
  return (json || sniffed === "json") && !form && boundary === null;
}

/** Nearly no JSON has a trace of a name, and to know that takes a hundredth of the time. */
function* mayBeInJson(parameters: MethodParameters, bytes: Buffer): Steps<boolean> {
  const stepBytes = 32 * DEFAULTS.bodyAtOnceBytesMax;
  for (let at = 0; at < bytes.length; at += stepBytes) {
    if (at > 0) yield;
    if (parameters.mayBeInJson(bytes.subarray(at, at + stepBytes + OVERLAP_BYTES))) return true;
  }
  return false;
}
