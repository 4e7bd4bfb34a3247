import type { LogEntry } from '#shared/lake/log-entry.ts'
import { inRanges, rangesOf } from '#shared/pipeline/commit.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Random } from './simulation/random.ts'
import type { StoredEntry, StoredFile, StoredLake } from './stored-lake.ts'

/** Something that can become of a lake, which a proof must not overlook. */
export interface Damage {
  readonly what: string
  /** Whether only a proof finds it that reads the data files. */
  readonly deep: boolean
  /** Damages a lake. @returns what a fault says of it; undefined when the lake has nothing that can be damaged so */
  readonly inflict: (lake: StoredLake, random: Random) => Promise<RegExp | undefined>
}

export const DAMAGES: readonly Damage[] = [
  ofFile('a data file is gone', false, async ({ file }, { store }) => {
    await store.delete(file.path)
    return /is missing \(named by/
  }),
  ofFile('a data file is cut', false, async ({ file }, lake) => {
    await lake.store.put(file.path, (await lake.body(file.path)).subarray(1))
    return /has \d+ bytes, not/
  }),
  ofFile('a data file has grown', false, async ({ file }, lake) => {
    await lake.store.put(file.path, Buffer.concat([await lake.body(file.path), Buffer.alloc(1)]))
    return /has \d+ bytes, not/
  }),
  ofFile('a bit of a data file is another', true, async ({ file }, lake, random) => {
    const body = Buffer.from(await lake.body(file.path))
    const at = random.between(0, body.length - 1)
    body[at] = (body[at] ?? 0) ^ (1 << random.between(0, 7))
    await lake.store.put(file.path, body)
    return /has another checksum/
  }),
  ofFile('a data file lies outside its table', false, async ({ key, entry, file }, lake) => {
    const path = file.path.replace(`/${file.table}/`, '/elsewhere/')
    await lake.store.put(path, await lake.body(file.path))
    await lake.putEntry(key, withFile(entry, file.path, { ...file, path }))
    return /lies outside its table/
  }),
  ofFile('a data file has another name', false, async ({ key, entry, file }, lake) => {
    const path = file.path.replace(/[^/]+$/, 'part-0.parquet')
    await lake.store.put(path, await lake.body(file.path))
    await lake.putEntry(key, withFile(entry, file.path, { ...file, path }))
    return /has a name that no data file has/
  }),
  ofFile('an entry names one of its files twice', false, async ({ key, entry, file }, lake) => {
    await lake.putEntry(key, { ...entry, files: [...entry.files, file] })
    return /is named twice/
  }),
  ofFile('an entry names a file of another, too', false, async ({ file, key }, lake, random) => {
    const other = random.pick((await lake.entries()).filter((entry) => entry.key !== key))
    if (other === undefined) return undefined
    await lake.putEntry(other.key, { ...other.entry, files: [...other.entry.files, file] })
    return /was written for/
  }),

  ofEntry('a commit is gone', false, async ({ key, entry }, lake) => {
    const { newest, amended } = await neighbours(lake, key)
    if (entry.kind === 'amendment' || (newest?.key === key && !amended)) return undefined
    await lake.store.delete(key)
    return newest?.key === key ? /amends a commit that is missing/ : /the chain has a hole/
  }),
  ofEntry('an amendment is gone', false, async ({ key, entry }, lake) => {
    const { amends, number } = entry
    const entries = await lake.entries()
    const last = entries.every(
      (other) => !sameLog(other.key, key) || other.entry.amends !== amends || other.entry.number <= number,
    )
    if (entry.kind !== 'amendment' || last) return undefined
    await lake.store.delete(key)
    return /is missing, but there is amendment/
  }),
  ofEntry('an entry is cut', false, async ({ key }, lake) => {
    await lake.store.put(key, (await lake.body(key)).subarray(0, -3))
    return /is not JSON/
  }),
  ofEntry('an entry has a field more', false, async ({ key, entry }, lake) => {
    await lake.store.put(key, Buffer.from(JSON.stringify({ ...entry, more: 1 })))
    return /[Uu]nrecognized key/
  }),
  ofEntry('an entry lies at the key of another', false, async ({ key }, lake, random) => {
    const other = random.pick(
      (await lake.entries()).filter(
        (entry) => entry.key.replace(/.*\/e\d+\/p\d+\//, '') !== key.replace(/.*\/e\d+\/p\d+\//, ''),
      ),
    )
    if (other === undefined) return undefined
    await lake.store.put(key, await lake.body(other.key))
    return /holds the (commit|amendment|seal) of/
  }),
  ofEntry('something else lies among the entries', false, async ({ key }, lake) => {
    await lake.store.put(key.replace(/\d+\.json$/, 'copy.json'), Buffer.from('{}'))
    return /is neither a commit nor an amendment/
  }),
  ofEntry('a commit reaches into the next', false, async ({ key, entry }, lake) => {
    const { newest } = await neighbours(lake, key)
    if (entry.kind !== 'commit' || newest?.key === key) return undefined
    await lake.putEntry(key, covering(entry, [...offsetsOf(entry), entry.end + 1], { skipped: 1 }))
    return /the chain overlaps/
  }),
  ofEntry('an amendment covers what was settled', false, async ({ key, entry }, lake) => {
    const entries = await lake.entries()
    const commit = entries.find(
      (other) => sameLog(other.key, key) && other.entry.amends === null && other.entry.start === entry.amends,
    )
    const settled =
      commit === undefined ? [] : offsetsOf(commit.entry).filter((offset) => !inRanges(offset, commit.entry.rejected))
    const again = settled.find((offset) => offset > entry.start && !inRanges(offset, entry.covered))
    if (entry.kind !== 'amendment' || again === undefined) return undefined
    await lake.putEntry(key, covering(entry, [...offsetsOf(entry), again], { skipped: 1 }))
    return /which (was|were) in the lake already/
  }),
  ofEntry('an amendment leaves its commit', false, async ({ key, entry }, lake) => {
    const commit = (await lake.entries()).find(
      (other) => sameLog(other.key, key) && other.entry.amends === null && other.entry.start === entry.amends,
    )
    if (entry.kind !== 'amendment' || commit === undefined || commit.entry.kind === 'seal') return undefined
    await lake.putEntry(key, covering(entry, [...offsetsOf(entry), commit.entry.end + 1], { skipped: 1 }))
    return /outside the commit's/
  }),
  ofEntry('an entry rejects what it does not cover', false, async ({ key, entry }, lake) => {
    const [first] = entry.rejected
    if (first === undefined) return undefined
    await lake.putEntry(key, {
      ...entry,
      rejected: [[entry.end + 1, entry.end + 1 + first[1] - first[0]], ...entry.rejected.slice(1)],
    })
    return /rejects .* which it does not cover/
  }),
  ...(['records', 'written', 'skipped', 'rejected', 'rows'] as const).map((count) =>
    ofEntry(`an entry counts other ${count}`, false, async ({ key, entry }, lake, random) => {
      const counts = { ...entry.counts, [count]: entry.counts[count] + random.between(1, 3) }
      await lake.putEntry(key, { ...entry, counts })
      return /but (it )?counts|is not \d+ records|files hold/
    }),
  ),
  ofEntry('a written record is counted as skipped', true, async ({ key, entry }, lake) => {
    const { written, skipped } = entry.counts
    if (written === 0) return undefined
    await lake.putEntry(key, { ...entry, counts: { ...entry.counts, written: written - 1, skipped: skipped + 1 } })
    return /rows of \d+ records, but it counts/
  }),
  ofEntry('another record is rejected than the one', true, async ({ key, entry }, lake) => {
    const rejected = offsetsOf({ ...entry, covered: entry.rejected })
    const other = offsetsOf(entry).find((offset) => !rejected.includes(offset))
    if (rejected.length === 0 || other === undefined) return undefined
    const offsets = [...rejected.slice(1), other].sort((a, b) => a - b)
    await lake.putEntry(key, { ...entry, rejected: rangesOf(offsets) })
    return /whose record was (not )?rejected|no dead letter of it/
  }),

  ofRows('a row is there twice', async (lake, file, rows, row) => {
    await lake.putRows(file, [...rows, row])
    return /is there twice|dead letters/
  }),
  ofRows('the first row of a record is lost', async (lake, file, rows, row) => {
    if (Number(row['_index']) !== 0 || rows.length === 1) return undefined
    await lake.putRows(
      file,
      rows.filter((other) => other !== row),
    )
    return /is missing, but there is row|rows of \d+ records, but|dead letters, not/
  }),
  ofRows('a row is in a file of another entry', async (lake, file, rows, row, random) => {
    const others = (await lake.files()).filter(
      (other) => other.key !== file.key && other.file.table === file.file.table,
    )
    const other = random.pick(others)
    if (other === undefined || rows.length === 1) return undefined
    await lake.putRows(other, [...(await lake.rows(other.file)), row])
    await lake.putRows(
      file,
      rows.filter((one) => one !== row),
    )
    return /which the entry does not cover|is of partition|was (not )?rejected|is there twice|dead letters/
  }),
  ofRows('a row is of another partition', async (lake, file, rows, row) => {
    await lake.putRows(file, changed(rows, row, { _kafka_partition: Number(row['_kafka_partition']) + 1 }))
    return /is of partition/
  }),
  ofRows('a row is of another epoch', async (lake, file, rows, row) => {
    await lake.putRows(file, changed(rows, row, { _epoch: Number(row['_epoch']) + 1 }))
    return /in epoch/
  }),
  ofRows('a row is of an offset that is not covered', async (lake, file, rows, row, random) => {
    const offset = sameType(row['_offset'], file.entry.end + random.between(1, 5))
    await lake.putRows(file, changed(rows, row, { _offset: offset }))
    return /which the entry does not cover/
  }),
  ofRows('a row has another index', async (lake, file, rows, row) => {
    await lake.putRows(file, changed(rows, row, { _index: 17 }))
    return /is missing, but there is row/
  }),
  ofRows('an index is negative', async (lake, file, rows, row) => {
    await lake.putRows(file, changed(rows, row, { _index: -1 }))
    return /which no row can be/
  }),
  ofRows('an entry does not cover a record that it has rows of', async (lake, { key, entry }, _rows, row) => {
    const offset = Number(row['_offset'])
    const offsets = offsetsOf(entry).filter((other) => other !== offset)
    if (offset === entry.end || offset === entry.start || inRanges(offset, entry.rejected)) return undefined
    await lake.putEntry(key, covering(entry, offsets, { written: -1 }))
    return /which the entry does not cover/
  }),
]

/** The damages below say what they do to one entry, file or row of the lake, which is drawn for them. */
function ofEntry(
  what: string,
  deep: boolean,
  inflict: (entry: StoredEntry, lake: StoredLake, random: Random) => Promise<RegExp | undefined>,
): Damage {
  return {
    what,
    deep,
    inflict: async (lake, random) => {
      for (const entry of random.shuffled(await lake.entries())) {
        const fault = entry.entry.kind === 'seal' ? undefined : await inflict(entry, lake, random)
        if (fault !== undefined) return fault
      }
      return undefined
    },
  }
}

function ofFile(
  what: string,
  deep: boolean,
  inflict: (file: StoredFile, lake: StoredLake, random: Random) => Promise<RegExp | undefined>,
): Damage {
  return {
    what,
    deep,
    inflict: async (lake, random) => {
      const file = random.pick(await lake.files())
      return file === undefined ? undefined : inflict(file, lake, random)
    },
  }
}

function ofRows(
  what: string,
  inflict: (
    lake: StoredLake,
    file: StoredFile,
    rows: readonly Row[],
    row: Row,
    random: Random,
  ) => Promise<RegExp | undefined>,
): Damage {
  return ofFile(what, true, async (file, lake, random) => {
    const rows = await lake.rows(file.file)
    const row = random.pick(rows)
    return row === undefined ? undefined : inflict(lake, file, rows, row, random)
  })
}

function withFile(entry: LogEntry, path: string, file: LogEntry['files'][number]): LogEntry {
  return { ...entry, files: entry.files.map((other) => (other.path === path ? file : other)) }
}

/** An entry that covers other offsets, and counts them as its counts then have to be. */
function covering(entry: LogEntry, offsets: readonly number[], more: { written?: number; skipped?: number }): LogEntry {
  const covered = rangesOf(offsets.toSorted((a, b) => a - b))
  const { counts } = entry
  const written = counts.written + (more.written ?? 0)
  const skipped = counts.skipped + (more.skipped ?? 0)
  const end = covered.at(-1)?.[1] ?? entry.end
  return { ...entry, end, covered, counts: { ...counts, records: offsets.length, written, skipped } }
}

function changed(rows: readonly Row[], row: Row, change: Row): Row[] {
  return rows.map((other) => (other === row ? { ...row, ...change } : other))
}

function sameType(like: unknown, value: number): number | bigint {
  return typeof like === 'bigint' ? BigInt(value) : value
}

function offsetsOf({ covered }: Pick<LogEntry, 'covered'>): number[] {
  return covered.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
}

function sameLog(a: string, b: string): boolean {
  const log = /^.*\/e\d+\/p\d+\//
  return log.exec(a)?.[0] === log.exec(b)?.[0]
}

/** The newest commit of a log, and whether the commit at a key has amendments. */
async function neighbours(
  lake: StoredLake,
  key: string,
): Promise<{ newest: StoredEntry | undefined; amended: boolean }> {
  const entries = (await lake.entries()).filter((other) => sameLog(other.key, key))
  const own = entries.find((other) => other.key === key)
  return {
    newest: entries.find(({ entry }) => entry.amends === null),
    amended: entries.some(({ entry }) => entry.amends === own?.entry.start),
  }
}
