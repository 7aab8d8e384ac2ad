import { GeoDatabases } from "../addresses/geo.ts";
import { Mmdb } from "../addresses/mmdb.ts";
import type { Steps } from "../support/turns.ts";
import type { Path } from "./path.ts";
import { geoShape } from "./section-schema.ts";
import type { Work } from "./work.ts";

const PATH: Path = ["geo"];

/** Section `geo`: databases of where addresses are and whose. */
export function* compileGeo(work: Work): Steps<void> {
  if (work.reader.raw(PATH) === undefined) return;
  const files = work.reader.fields(geoShape, PATH);
  if (files.countries === undefined && files.networks === undefined) {
    work.problem("no database; expected 'countries', 'networks' or both", PATH);
    return;
  }
  const countries = yield* open(work, files.countries, "countries");
  const networks = yield* open(work, files.networks, "networks");
  work.geo = new GeoDatabases(countries, networks, Object.keys(files));
}

/** Null where there is none, or a problem was reported. */
function* open(work: Work, file: string | undefined, key: string): Steps<Mmdb | null> {
  if (file === undefined) return null;
  const context = work.context((inner) => [...PATH, ...inner]);
  const bytes = context.readLargeFile(file, key);
  if (bytes === null) return null;
  return yield* context.keep("geo", [bytes], function* () {
    const database = yield* Mmdb.open(bytes);
    if (!database.ok) context.problem(`'${file}' ${database.error}`, key);
    return database.ok ? database.value : null;
  });
}
