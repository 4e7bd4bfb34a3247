import pMap, { pMapSkip } from 'p-map'
import type { LogEntry } from './log-entry.ts'
import { dataPrefix, type EntryPlace, logDigest, parseDataFileKey } from './log-keys.ts'
import { type LogStore, logsOf } from './log-store.ts'
import type { ObjectEntry, ObjectStore } from './object-store.ts'

/** How many data files are looked up before the first of them are deleted: as many as S3 lists at once. */
const PAGE = 1000

export interface VacuumOptions {
  /** Finds the files and leaves them where they are. */
  readonly dryRun?: boolean
  /** Called for each data file that is listed, whether it goes or stays. */
  readonly onFile?: () => void
  /** Files that are looked up or deleted at a time. */
  readonly concurrency?: number
}

/**
 * Deletes the data files of a table that nobody can name any more: those of writers that died or lost a race.
 *
 * A file is meant for one place in a log, which its name contains. It goes only when the entry at that place exists and
 * does not name it: an entry is written once, so that no later one can. As long as the place is free its writer may
 * still be about to put the entry, however old the file is. Files with other names are not Inlet's and stay. No clock,
 * no lease: a vacuum may run at any time, any number of them, and may be stopped anywhere.
 *
 * @returns each file after it was deleted; each one that would be, in a dry run
 */
export async function* vacuum(
  store: ObjectStore,
  table: string,
  { dryRun = false, onFile, concurrency = 16 }: VacuumOptions = {},
): AsyncIterable<ObjectEntry> {
  const logs = await logsByDigest(store)
  const sweep = (files: readonly ObjectEntry[]): Promise<ObjectEntry[]> => {
    const entryAt = lookUpOnce()
    const sweepOne = async (file: ObjectEntry): Promise<ObjectEntry | typeof pMapSkip> => {
      if (!(await isOrphan(file.key, logs, entryAt))) return pMapSkip
      if (!dryRun) await store.delete(file.key)
      return file
    }
    return pMap(files, sweepOne, { concurrency })
  }
  let page: ObjectEntry[] = []
  for await (const file of store.list(dataPrefix(table))) {
    onFile?.()
    if (page.push(file) < PAGE) continue
    yield* await sweep(page)
    page = []
  }
  yield* await sweep(page)
}

/** Several logs could share a digest, which is short; then a file goes only when none of them can name it. */
async function logsByDigest(store: ObjectStore): Promise<Map<string, LogStore[]>> {
  const logs = new Map<string, LogStore[]>()
  for await (const { log } of logsOf(store)) {
    const digest = logDigest(log.prefix)
    logs.set(digest, [...(logs.get(digest) ?? []), log])
  }
  return logs
}

async function isOrphan(
  key: string,
  logs: ReadonlyMap<string, readonly LogStore[]>,
  entryAt: (log: LogStore, place: EntryPlace) => Promise<LogEntry | undefined>,
): Promise<boolean> {
  const written = parseDataFileKey(key)
  const candidates = written === undefined ? undefined : logs.get(written.log)
  if (written === undefined || candidates === undefined) return false
  for (const log of candidates) {
    const entry = await entryAt(log, written.place)
    if (entry === undefined || names(entry, key)) return false
  }
  return true
}

/**
 * Reads each entry once, as a slice has files in many table partitions. What was absent may be there by now: then its
 * files stay until the next time.
 */
function lookUpOnce(): (log: LogStore, place: EntryPlace) => Promise<LogEntry | undefined> {
  const found = new Map<string, Promise<LogEntry | undefined>>()
  return (log, place) => {
    const name = `${log.prefix} ${JSON.stringify(place)}`
    const entry = found.get(name) ?? log.entryAt(place)
    found.set(name, entry)
    return entry
  }
}

/** By its name alone, which is unique: a copy that somebody keeps beside the data is none of a vacuum's business. */
function names(entry: LogEntry, key: string): boolean {
  const name = nameOf(key)
  return entry.files.some((file) => nameOf(file.path) === name)
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
