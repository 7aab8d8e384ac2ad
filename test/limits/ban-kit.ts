import { BanBook } from "../../src/limits/bans/ban-book.ts";
import type { BanTable, FeedKey } from "../../src/limits/bans/ban-table.ts";
import type { StateFiles } from "../../src/resources/state-folder.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { MemoryFiles, testResources } from "../fixtures/outside.ts";

/** 2026-11-21T12:00:00Z */
export const NOW_MS = 1_795_262_400_000;

/** A key as a test has it: a text. */
export function key(text: string): FeedKey {
  return (hash, prefix) => {
    hash.copy(prefix);
    hash.text(text);
    return true;
  };
}

export interface BanRun {
  readonly book: BanBook;
  readonly time: ManualTime;
  readonly warned: string[];
  /** As a process that ends in good order. */
  stop(): Promise<void>;
}

/** A book in force, with the files of a state folder or in memory alone. */
export function runBook(time = new ManualTime(NOW_MS), files: StateFiles | null = new MemoryFiles()): BanRun {
  const warned: string[] = [];
  const resources = testResources({ clock: time, timers: time, ...(files === null ? {} : { files }) });
  resources.reportTo({
    onState: () => {},
    onNote: () => {},
    onFolder: (_, file, text) => warned.push(`${file}: ${text}`),
  });
  const acquisition = resources.begin(files === null ? null : "/var/lib/postern");
  const book = acquisition.acquire("bans", [], (world) => new BanBook(world));
  // As the policy does it before it is in force.
  book.share("scans", "address");
  book.share("floods", "caller");
  resources.follow(acquisition);
  return {
    book,
    time,
    warned,
    stop: async () => {
      resources.close();
      await book.closed;
    },
  };
}

export function find(table: BanTable, text: string) {
  return table.find(key(text), () => text);
}
