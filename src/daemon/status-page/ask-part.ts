import type { Ask, Told } from "./dom.ts";

/** Asks the admin port that the page came from. The token lives in this closure, and ends with the page. */
export function askPart(ask: typeof fetch): Ask {
  let token = "";
  const told = async (path: string, settings: RequestInit): Promise<Told> => {
    try {
      const answer = await ask(path, { ...settings, credentials: "omit", cache: "no-store", redirect: "error" });
      const text = await answer.text();
      if (!answer.ok) return { ok: false, text: `${answer.status}: ${text.trim()}` };
      return { ok: true, value: JSON.parse(text) };
    } catch {
      return { ok: false, text: "no answer" };
    }
  };
  return {
    get: (path) => told(path, {}),
    act: (path, settings) =>
      told(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
        body: JSON.stringify(settings),
      }),
    setToken: (text) => {
      token = text;
    },
    hasToken: () => token !== "",
  };
}
