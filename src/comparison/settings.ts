/** A mapping of a policy, as it has it. */
export type Settings = Readonly<Record<string, unknown>>;

/** A value of a policy as a mapping; empty where it is none. */
export function settingsOf(value: unknown): Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

/** A list of texts, or one of them alone; others are left out. */
export function textsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === "string");
}
