import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/**
 * Where clouds and links keep what only the machine itself may read (credentials by the metadata service). An answer of DNS
 * or of a provider that leads there makes a caller fetch them for somebody else.
 */
function innerAddresses(): BlockList {
  const list = new BlockList();
  list.addSubnet("169.254.0.0", 16, "ipv4"); // RFC 3927; metadata of AWS, Azure, Google and others
  list.addAddress("100.100.100.200", "ipv4"); // Alibaba Cloud
  list.addAddress("192.0.0.192", "ipv4"); // Oracle Cloud
  list.addSubnet("0.0.0.0", 8, "ipv4"); // this host, RFC 1122 section 3.2.1.3
  list.addSubnet("fe80::", 10, "ipv6"); // RFC 4291 section 2.5.6
  list.addAddress("fd00:ec2::254", "ipv6"); // AWS
  list.addAddress("fd20:ce::254", "ipv6"); // Google Cloud
  list.addAddress("::", "ipv6");
  return list;
}

/** Made with the first call: most policies call nobody. */
let inner: BlockList | null = null;

/** Code of the error that a lookup ends with where a name leads to such an address. */
export const ADDRESS_REFUSED = "ADDRESS_REFUSED";

export function isInnerAddress(address: string): boolean {
  const family = isIP(address);
  inner ??= innerAddresses();
  return family !== 0 && inner.check(address, family === 6 ? "ipv6" : "ipv4");
}

type Resolve = (host: string, options: LookupOptions & { all: true }, done: ResolveDone) => void;
type ResolveDone = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** Name → addresses, none of them inner unless the policy names the host. What is checked is what is dialled. */
export function guardedLookup(namedHosts: ReadonlySet<string>, resolve: Resolve = systemLookup): LookupFunction {
  return (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      const addresses = found?.filter(({ address }) => namedHosts.has(host.toLowerCase()) || !isInnerAddress(address));
      const [first] = addresses ?? [];
      if (error !== null) return void done(error, "", 0);
      if (first === undefined) {
        return void done(Object.assign(new Error("an inner address"), { code: ADDRESS_REFUSED }), "", 0);
      }
      // Node asks for all of them where it may try one after the other.
      if (options.all === true) done(null, addresses ?? []);
      else done(null, first.address, first.family);
    });
  };
}
