import { isIP, type Socket } from "node:net";
import type { UpstreamSettings } from "../policy/snapshot.ts";
import { hostPort } from "../support/host-port.ts";

const SHOWN_MAX = 8;

/** For the log: where the name of an upstream has led to; empty where the policy gives the address itself. */
export function triedAddresses(
  { address }: UpstreamSettings,
  socket: Socket,
  error: NodeJS.ErrnoException | null,
): string {
  if (address.type === "unix" || isIP(address.host) !== 0) return "";
  const { remoteAddress, remotePort, autoSelectFamilyAttemptedAddresses } = socket;
  const addresses =
    remoteAddress !== undefined && remotePort !== undefined
      ? [hostPort(remoteAddress, remotePort)]
      : (autoSelectFamilyAttemptedAddresses ?? failedAddress(error));
  return addresses.length === 0 ? "" : `, tried ${addresses.slice(0, SHOWN_MAX).join(", ")}`;
}

function failedAddress(error: NodeJS.ErrnoException | null): readonly string[] {
  if (error === null || !("address" in error) || !("port" in error)) return [];
  const { address, port } = error;
  return typeof address === "string" && typeof port === "number" ? [hostPort(address, port)] : [];
}
