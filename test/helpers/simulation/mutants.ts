import type { CommitLog } from '#shared/lake/commit-log.ts'
import type { newEntries, releaseMarkers } from '#shared/lake/log-follower.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { vacuum } from '#shared/lake/vacuum.ts'
import type { SliceContent, WriteSlice } from '#shared/pipeline/commit.ts'
import { type Parts, PRODUCT } from './parts.ts'
import { type Edit, withMutant } from './source-mutant.ts'

/** The product with one of its guards taken out, and what must come of it. */
export interface Mutant {
  readonly guard: string
  /** What the faults of some schedule have to say. */
  readonly harm: RegExp
  readonly parts: () => Promise<Parts>
}

const LOST = /is lost/
const TWICE = /settled before|is in flights 2 times/
const NOT_IN_TABLE = /is in flights 0 times/
const DELETED = /names a deleted file/

export const MUTANTS: readonly Mutant[] = [
  {
    guard: 'put-if-absent is exclusive',
    harm: LOST,
    parts: async () => ({ ...PRODUCT, store: withCarelessPuts }),
  },
  {
    guard: 'a commit begins where the one before it ends',
    harm: TWICE,
    parts: () => commitLog(['start: commit === undefined ? 0 : commit.end + 1 }', 'start: rest[0].offset }']),
  },
  {
    guard: 'a gap within a commit is not known',
    harm: LOST,
    parts: () =>
      commitLog([
        'requireFitsGap(record, commit)\n      return true',
        'requireFitsGap(record, commit)\n      return record.offset < commit.covered[0][0]',
      ]),
  },
  {
    guard: 'the verdict of the newest amendment counts',
    harm: TWICE,
    parts: () => commitLog(['[...amendments].reverse().concat(commit)', '[commit, ...amendments]']),
  },
  {
    guard: 'a redrive takes only what was rejected last',
    harm: TWICE,
    parts: () => commitLog(["mode === 'redrive' && inRanges(record.offset, verdict.rejected)", "mode === 'redrive'"]),
  },
  {
    guard: 'a redrive does take what was rejected',
    harm: /still open/,
    parts: () => commitLog(["mode === 'redrive' && inRanges(record.offset, verdict.rejected)", 'false']),
  },
  {
    guard: 'a warm writer asks the store about offsets before its newest commit',
    harm: TWICE,
    parts: () => commitLog(['offset >= this.#newest.start', 'true']),
  },
  {
    guard: 'a warm writer that loses a race asks the store',
    harm: /in circles/,
    parts: () => commitLog(['this.#newest = entry\n', 'this.#newest = entry ?? this.#newest\n']),
  },
  {
    guard: 'a key that is taken is a lost race',
    harm: LOST,
    parts: () => logStore(['(await this.#read(key)).attempt === entry.attempt', 'true']),
  },
  {
    guard: 'a key that the very attempt has taken is no lost race',
    harm: /made 1 entries and reports 0/,
    parts: () => logStore(['(await this.#read(key)).attempt === entry.attempt', 'false']),
  },
  {
    guard: 'files are written anew after a lost race',
    harm: DELETED,
    parts: async () => ({ ...PRODUCT, write: withReusedFiles }),
  },
  {
    guard: 'the marker is put before the amendment',
    harm: NOT_IN_TABLE,
    parts: () =>
      commitLog(
        ['await this.#log.putMarker(table, place)', 'later.push(() => this.#log.putMarker(table, place))'],
        ["if (place.kind === 'amendment') {", "const later = []\n    if (place.kind === 'amendment') {"],
        [
          'return (await this.#log.append(place, entry)) ? entry : undefined',
          'const isOurs = await this.#log.append(place, entry)\n    for (const put of later) await put()\n    return isOurs ? entry : undefined',
        ],
      ),
  },
  {
    guard: 'every table that an amendment touches gets a marker',
    harm: /flights_dead_letters has followed|flights_dead_letters names/,
    parts: () =>
      commitLog([
        'new Set(content.files.map((file) => file.table))',
        'content.files.slice(0, 1).map((file) => file.table)',
      ]),
  },
  {
    guard: 'a marker stays until its amendment is counted',
    harm: NOT_IN_TABLE,
    parts: () => follower(['if ((marks.amended[marker.amends] ?? 0) > marker.number) await', 'await']),
  },
  {
    guard: 'marks of amendments are never dropped',
    harm: /is in flights 2 times/,
    parts: () => follower(['{ ...marks.amended }', '{}']),
  },
  {
    guard: 'a committer compares and swaps',
    harm: NOT_IN_TABLE,
    parts: async () => ({
      ...PRODUCT,
      swap: (table, _expected, next) => {
        table.current = next
        return true
      },
    }),
  },
  {
    guard: 'a vacuum leaves files whose place is free',
    harm: DELETED,
    parts: () => vacuumOf(['entry === undefined || names(entry, key)', 'entry !== undefined && names(entry, key)']),
  },
  {
    guard: 'a vacuum leaves files that are named',
    harm: DELETED,
    parts: () => vacuumOf(['entry === undefined || names(entry, key)', 'entry === undefined']),
  },
  {
    guard: 'a vacuum leaves files of others',
    harm: /not of Inlet/,
    parts: () =>
      vacuumOf(['if (written === undefined || candidates === undefined) return false', 'if (!candidates) return true']),
  },
  {
    guard: 'a vacuum deletes the rest',
    harm: /has left/,
    parts: () => vacuumOf(['if (!dryRun) await', 'if (dryRun) await']),
  },
]

/** A copy of the source in which nothing is changed: what mutants do is not the doing of copies. */
export const CONTROL: Mutant = { guard: 'nothing', harm: /^/, parts: () => commitLog() }

export function mutantWithout(guard: string): Mutant {
  const mutant = [...MUTANTS, CONTROL].find((candidate) => candidate.guard === guard)
  if (mutant === undefined) throw new Error(`there is no mutant without "${guard}"`)
  return mutant
}

function commitLog(...edits: Edit[]): Promise<Parts> {
  return withMutant('commit-log.ts', edits, async (url) => {
    const { CommitLog: Mutated } = (await load(url)) as { CommitLog: typeof CommitLog }
    return { ...PRODUCT, openLog: (store, id) => new Mutated(store, id) }
  })
}

function logStore(...edits: Edit[]): Promise<Parts> {
  return withMutant('log-store.ts', edits, (url) => commitLog(["'./log-store.ts'", `'${url}'`]))
}

function follower(...edits: Edit[]): Promise<Parts> {
  return withMutant('log-follower.ts', edits, async (url) => {
    const mutated = (await load(url)) as { newEntries: typeof newEntries; releaseMarkers: typeof releaseMarkers }
    return { ...PRODUCT, newEntries: mutated.newEntries, releaseMarkers: mutated.releaseMarkers }
  })
}

function vacuumOf(...edits: Edit[]): Promise<Parts> {
  return withMutant('vacuum.ts', edits, async (url) => {
    const mutated = (await load(url)) as { vacuum: typeof vacuum }
    return { ...PRODUCT, vacuum: mutated.vacuum }
  })
}

function load(url: string): Promise<unknown> {
  // oxlint-disable-next-line import/no-dynamic-require -- the copy has just been written
  return import(url)
}

/** A store without conditional writes, as S3-like servers exist. */
function withCarelessPuts(store: ObjectStore): ObjectStore {
  return {
    url: store.url,
    put: (key, body) => store.put(key, body),
    putIfAbsent: async (key, body) => {
      await store.put(key, body)
      return 'created'
    },
    get: (key) => store.get(key),
    size: (key) => store.size(key),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key) => store.delete(key),
  }
}

/** A flow that keeps the files of an attempt for the next one if that is for the same records. */
function withReusedFiles(write: WriteSlice): WriteSlice {
  const kept = new Map<string, SliceContent>()
  return async (records, attempt) => {
    const offsets = records.map(({ offset }) => offset).join()
    const content = kept.get(offsets) ?? (await write(records, attempt))
    kept.set(offsets, content)
    return content
  }
}
