import type { Place } from "../decision/verdict.ts";
import { InventoryBook } from "../inventory/book.ts";
import type { DeclaredRoute } from "../inventory/declared.ts";
import { InventoryObserver } from "../inventory/observer.ts";
import { inventoryRoom } from "../inventory/room.ts";
import type { RequestObserver } from "../records/decision-records.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { inventorySchema } from "./inventory-schema.ts";
import type { Path } from "./path.ts";
import type { Route } from "./snapshot.ts";
import type { Work } from "./work.ts";

const PATH: Path = ["inventory"];

/** Who sees each request of a policy with an inventory, and what the admin port shows. */
export interface Inventory {
  readonly observer: RequestObserver;
  readonly room: AdminRoom;
}

/** Section `inventory`, when all routes are known; null where it has a problem. */
export function compileInventory(work: Work): Inventory | null {
  const settings = work.reader.read(inventorySchema, work.reader.raw(PATH), PATH);
  if (settings === undefined) return null;
  if (work.admin.address === null)
    work.warning("no_effect", "nobody can ask for it; expected 'admin: { address }' beside it", PATH);
  const { callers = DEFAULTS.inventoryCallers } = settings;
  const book = work.acquisition.acquire("inventory", [String(callers)], (world) => new InventoryBook(callers, world));
  const { clock } = work.inputs;
  const declared = new Map<Place, DeclaredRoute>(work.routes.map((route) => [route.place, declaredOf(route)]));
  return {
    observer: new InventoryObserver(book, declared, clock),
    room: inventoryRoom({ service: work.service, book, declared: [...declared.values()], clock }),
  };
}

function declaredOf({ template, hosts, versions, methods, place, checks, answer }: Route): DeclaredRoute {
  const has = (name: string): boolean => checks.some((check) => check.name === name);
  return {
    id: { template, hosts, versions },
    methods,
    place,
    isDeprecated: has("deprecated"),
    isUndeclared: has("undeclared"),
    isAnswered: answer !== null,
  };
}
