import type { AdminSettings, Problem } from "../policy/snapshot.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { AdminPages, AdminServer } from "./admin.ts";
import type { Prepared } from "./listeners.ts";
import { wholeFileProblem } from "./reload.ts";

/** The admin port over reloads: it moves when the policy gives another address, and opens the new before the old closes. */
export class AdminPort {
  readonly #policyFile: string;
  readonly #pages: AdminPages;
  #address = "";
  #server: AdminServer | null = null;

  constructor(policyFile: string, pages: AdminPages) {
    this.#policyFile = policyFile;
    this.#pages = pages;
  }

  get boundTo(): string | null {
    return this.#server?.boundTo ?? null;
  }

  async prepare({ address }: AdminSettings): Promise<Result<Prepared, readonly Problem[]>> {
    const text = address === null ? "" : `${address.host}:${address.port}`;
    if (text === this.#address) return ok({ commit: () => {}, rollback: () => {} });
    const opened = address === null ? ok(null) : await this.#open(address);
    if (!opened.ok) {
      const problem = `admin on ${text}: cannot listen: ${opened.error}`;
      return err([wholeFileProblem(this.#policyFile, problem, "admin.address")]);
    }
    const commit = (): void => {
      void this.#server?.close();
      this.#server = opened.value;
      this.#address = text;
    };
    return ok({ commit, rollback: () => void opened.value?.close() });
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  async #open(address: NonNullable<AdminSettings["address"]>): Promise<Result<AdminServer, string>> {
    // node:http is not used on the data path, so only a policy with an admin port pays for it.
    const { openAdmin } = await import("./admin.ts");
    return openAdmin(address, this.#pages);
  }
}
