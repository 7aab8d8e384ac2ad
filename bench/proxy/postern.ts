import type { Contestant } from "./contestant.ts";
import type { World } from "./world.ts";

export async function createPostern(_world: World): Promise<Contestant> {
  return {
    name: "postern",
    refusesWithoutCertificate: "handshake",
    missing: () => "not there yet",
    supports: () => false,
    configure: () => ({ file: "", args: [] }),
  };
}
