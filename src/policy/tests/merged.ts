import type { TestAnswer, TestRequest } from "./request-section.ts";

/** Headers one by one, and one body in place of the other. */
export function merged<T extends TestRequest | TestAnswer>(base: T, more: T): T {
  const headers = { ...base.headers, ...more.headers };
  const { body: _, bodyFile: __, ...bodiless } = base;
  const hasBody = more.body !== undefined || more.bodyFile !== undefined;
  return { ...(hasBody ? bodiless : base), ...more, ...(Object.keys(headers).length === 0 ? {} : { headers }) } as T;
}
