/** Cases whose outcome is another here, and why. By name, as in `920100-4`. */
const EXPLAINED: Readonly<Record<string, string>> = {};

export function explanationOf(name: string): string | null {
  return EXPLAINED[name] ?? null;
}
