import { type FSWatcher, watch } from "chokidar";

/** Watches `entries` in their `folders`, both absolute. */
export function watchFolders(folders: ReadonlySet<string>, entries: ReadonlySet<string>): FSWatcher {
  return watch([...folders], {
    depth: 0,
    ignoreInitial: true,
    followSymlinks: false,
    ignorePermissionErrors: true,
    atomic: false,
    // Other files of a busy folder are none of our business and cost no watches.
    ignored: (path) => !folders.has(path) && !entries.has(path),
  });
}
