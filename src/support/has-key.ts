/** Whether one of the mappings in a plain value, however deep, has one of these keys. */
export function hasKey(value: unknown, ...keys: readonly string[]): boolean {
  const left: unknown[] = [value];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (typeof one !== "object" || one === null) continue;
    if (!Array.isArray(one) && keys.some((key) => Object.hasOwn(one, key))) return true;
    for (const inner of Object.values(one)) left.push(inner);
  }
  return false;
}
