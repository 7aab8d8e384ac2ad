import type { Place } from "../../decision/verdict.ts";
import type { ListenerSettings, Route, Snapshot } from "../snapshot.ts";

/** What an audit looks at: nothing of the text, all of what it was compiled to. */
export interface Audited extends Pick<Snapshot, "admitChecks" | "bans" | "rungs"> {
  readonly authenticators: readonly { readonly name: string; readonly type: unknown; readonly place: Place }[];
  readonly listeners: readonly (Pick<ListenerSettings, "name" | "place" | "address"> & { readonly hasTls: boolean })[];
  readonly routes: readonly Route[];
}
