import { readHeaderStyle } from "../../bodies/parameter-styles.ts";
import type { MimeHead } from "../../bodies/part-head.ts";
import type { RouteContext } from "../filter.ts";
import { compileHeaders } from "./compile-parameters.ts";
import { compileParameterSchema } from "./engine.ts";
import type { ParameterSettings } from "./parameter-schema.ts";
import { judgeParameter, type Parameter, type ParameterFault } from "./parameters.ts";

type Path = readonly (string | number)[];

/** Headers that a part of a multipart body has to have, or may. `path`: leads to the part's settings. */
export function compilePartHeaders(
  headers: Readonly<Record<string, ParameterSettings>> | undefined,
  context: RouteContext,
  ...path: Path
): readonly Parameter[] {
  if (headers === undefined) return [];
  const inner = {
    ...context,
    place: (...rest: Path) => context.place(...path, ...rest),
    problem: (text: string, ...rest: Path) => context.problem(text, ...path, ...rest),
  };
  return compileHeaders(headers, inner, compileParameterSchema);
}

/** What is wrong with them, each told by its name; no part has a header twice. */
export function judgePartHeaders({ lines }: MimeHead, headers: readonly Parameter[]): readonly ParameterFault[] {
  return headers.flatMap((header) => {
    const { name, styled } = header;
    const line = lines.get(name);
    const faults = judgeParameter(header, readHeaderStyle(styled, line === undefined ? [] : [line]));
    return faults.map((fault) => {
      const { detail, seen } = fault;
      return { ...fault, pointer: "", detail: `header ${name}: ${detail}`, seen: `header ${name}: ${seen}` };
    });
  });
}
