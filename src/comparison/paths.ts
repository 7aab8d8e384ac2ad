import { DEFAULTS } from "../support/defaults.ts";
import type { Side } from "./sides.ts";

/** Text that stands at one place of a path in some template of either policy, by how many segments stand before it. */
export class StaticSegments {
  readonly #byDepth = new Map<number, Set<string>>();

  constructor(sides: readonly Side[]) {
    for (const { routes } of sides) {
      for (const { route } of routes) {
        for (const [depth, segment] of segmentsOf(route.template).entries()) {
          if (segment.startsWith("{") || segment === "**") continue;
          const known = this.#byDepth.get(depth) ?? new Set();
          this.#byDepth.set(depth, known.add(segment));
        }
      }
    }
  }

  /** Paths of the template on which another template's own text stands in place of a parameter: there the two meet. */
  meetings(template: string, param: (name: string) => string): readonly string[] {
    const segments = segmentsOf(template);
    const paths: string[] = [];
    for (const [depth, segment] of segments.entries()) {
      if (!segment.startsWith("{")) continue;
      for (const text of this.#byDepth.get(depth) ?? []) {
        if (paths.length >= DEFAULTS.diffMeetingsMax) return paths;
        paths.push(pathOf(`/${segments.with(depth, text).join("/")}`, param));
      }
    }
    return paths;
  }
}

function segmentsOf(template: string): readonly string[] {
  return template.slice(1).split("/");
}

/** A path of the template, each parameter with its value. */
export function pathOf(template: string, param: (name: string) => string): string {
  const path = template.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(param(name)));
  return path.endsWith("/**") ? `${path.slice(0, -2)}x` : path;
}
