import { answerSql, type SqlAnswer, type SqlOptions } from '#shared/cli/sql.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { LocatedStore } from '#shared/lake/iceberg/located-store.ts'
import type { LiveFile } from '#shared/lake/iceberg/table-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { deleteEqual, deletePositions, rewriteFiles } from '#test/helpers/foreign-snapshots.ts'
import { LakeTable, locked } from '#test/helpers/lake-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { redrive, timeless } from '#test/helpers/mending-sensors.ts'
import { reading, sensorEvent, sensors as declared } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const sensors: Pipeline & ReturnType<typeof locked> = iceberg(locked(declared))
let store: ObjectStore
let table: LakeTable
let time: number

function iceberg<P extends Pipeline>(pipeline: P): P {
  return { ...pipeline, table: { ...pipeline.table, layout: 'iceberg' } }
}

const open = (on: ObjectStore): LakeTable => new LakeTable(on, sensors, { now: () => (time += 60_000) })
const land = (values: readonly string[], offset: number): Promise<void> =>
  deliver(store, sensors, sensorEvent(values, 0, offset))
const ask = (sql: string, options: SqlOptions = {}): Promise<SqlAnswer> => answerSql(sql, store, options)
const values = async (options: SqlOptions = {}): Promise<unknown[]> =>
  (await ask('SELECT value FROM sensors ORDER BY value', options)).rows.flat()

beforeEach(async () => {
  time = Date.UTC(2026, 0, 1)
  store = new DirectoryStore(directory())
  table = open(store)
  await table.apply()
})

test('a table of the catalog is its snapshot, and what the log has beyond it is told', async () => {
  await land([reading(1), reading(2)], 0)
  await table.commit()
  await land([reading(3)], 5)
  await land([reading(4)], 3)
  expect(await values()).toEqual([1, 2])
  const { notes } = await ask('SELECT value FROM sensors')
  expect(notes).toEqual([
    '2 commits are not in the snapshot of sensors yet; "inlet table commit sensors" brings them in',
  ])
  expect((await ask('SELECT 1')).notes).toEqual([])
  await table.commit()
  expect(await values()).toEqual([1, 2, 3, 4])
  expect((await ask('SELECT value FROM sensors')).notes).toEqual([])
})

test('what the log names and no snapshot has is not read, nor is the log itself', async () => {
  const lake = new MemoryStore()
  const fetched: string[] = []
  store = lake.through(async ({ operation, key }, effect) => {
    if (operation === 'get') fetched.push(key)
    return effect()
  })
  table = open(store)
  await table.apply()
  await land([reading(1)], 0)
  await table.commit()
  await land([reading(2)], 1)
  fetched.length = 0
  expect(await values()).toEqual([1])
  expect(fetched.filter((key) => key.includes('/data/'))).toHaveLength(1)
  expect(fetched.filter((key) => key.startsWith('log/'))).toEqual([])
})

test('a table without a snapshot is empty, and SQL that names none shows its columns', async () => {
  expect((await ask('SELECT count(*)::INT FROM sensors')).rows).toEqual([[0]])
  expect((await ask('SHOW TABLES')).rows).toEqual([['sensors']])
  const { rows } = await ask(
    `SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'main'`,
  )
  expect(rows.slice(0, 3)).toEqual([
    ['sensor', 'VARCHAR'],
    ['at', 'TIMESTAMP WITH TIME ZONE'],
    ['value', 'DOUBLE'],
  ])
  await expect(ask("SELECT * FROM query_table('sen' || 'sors')")).rejects.toThrow(
    'the query must name the table sensors',
  )
  await expect(ask('SELECT nope FROM sensors')).rejects.toThrow("The lake's tables: sensors")
})

test('copies of a lake elsewhere are read the same', async () => {
  store = new MemoryStore()
  table = open(store)
  await table.apply()
  await land([reading(1), reading(2, '2026-01-06')], 0)
  await table.commit()
  const [file] = await table.files()
  if (file === undefined) throw new Error('no file')
  await deletePositions(table, file, [[file.location, 0]])
  expect(await values()).toEqual([2])
})

describe('the past', () => {
  let ids: string[]
  beforeEach(async () => {
    for (const offset of [0, 1, 2]) {
      await land([reading(offset + 1)], offset)
      await table.commit()
    }
    ids = (await table.metadata()).snapshots.map((snapshot) => String(snapshot['snapshot-id']))
  })

  test('by the id of a snapshot, exactly', async () => {
    expect(ids.map(Number).every((id) => id > Number.MAX_SAFE_INTEGER)).toBe(true)
    for (const [i, at] of ids.entries()) expect(await values({ at })).toHaveLength(i + 1)
    const other = String(BigInt(ids[0] ?? 0) ^ 1n)
    await expect(values({ at: other })).rejects.toThrow(
      `table sensors has no snapshot ${other}, or it has expired; there are ${ids[2]} (2026-01-01T00:0`,
    )
  })

  test('by a time', async () => {
    const [first, second] = (await table.metadata())['snapshot-log'].map((entry) => entry['timestamp-ms'])
    const iso = (ms = 0): string => new Date(ms).toISOString()
    expect(await values({ at: iso(second) })).toEqual([1, 2])
    expect(await values({ at: iso((second ?? 0) - 1) })).toEqual([1])
    expect(await values({ at: iso(second).replace('Z', '') })).toEqual([1, 2])
    expect(await values({ at: iso((second ?? 0) + 3_600_000).replace('Z', '+01:00') })).toEqual([1, 2])
    expect(await values({ at: '2026-01-02' })).toEqual([1, 2, 3])
    await land([reading(4)], 3)
    expect((await ask('SELECT * FROM sensors', { at: '2026-01-02' })).notes).toEqual([])
    await expect(values({ at: '2025-12-31' })).rejects.toThrow(
      `table sensors had no snapshot at 2025-12-31T00:00:00.000Z: the first that it knows is of ${iso(first)}`,
    )
    await expect(values({ at: 'yesterday' })).rejects.toThrow('"yesterday" is neither the id of a snapshot nor a time')
    await expect(values({ at: '2026-02-31T25:00' })).rejects.toThrow('neither')
  })

  test('of a table that is only in the log there is none', async () => {
    await deliver(
      store,
      { ...declared, name: 'o', table: { ...declared.table, name: 'other' } },
      sensorEvent([reading(1)]),
    )
    await expect(ask('SELECT * FROM other', { at: '2026-01-02' })).rejects.toThrow(
      'other has no snapshots to go back to',
    )
  })
})

describe('deletes of other engines', () => {
  beforeEach(async () => {
    await land([reading(1), reading(2), reading(3)], 0)
    await land([reading(4), reading(5)], 3)
    await table.commit()
  })

  /** The file of the first commit, which has three rows, and that of the second. */
  async function files(): Promise<[LiveFile, LiveFile]> {
    const [one, two] = (await table.files()).toSorted((a, b) => b.rows - a.rows)
    if (one === undefined || two === undefined) throw new Error('no files')
    return [one, two]
  }

  test('by position, whatever way the URI is written', async () => {
    const [one, two] = await files()
    await deletePositions(table, one, [[one.location, 0]])
    const gone = `${(await table.metadata()).location}/data/gone.parquet`
    await deletePositions(table, two, [
      [two.location.replace('file:///', 'file:/'), 1],
      [gone, 0],
    ])
    expect(await values()).toEqual([2, 3, 4])
    expect((await ask('SELECT * FROM sensors')).columns.at(-1)).toBe('_timestamp')
  })

  test('by position, of files that are not younger only', async () => {
    const [one] = await files()
    await land([reading(6), reading(7)], 5)
    const pending = (await committedFiles(store)).get('sensors')?.find(({ path }) => path.includes('-c5-'))
    await deletePositions(table, one, [
      [new LocatedStore(store).locate(pending?.path ?? ''), 0],
      [one.location, 2],
    ])
    await table.commit()
    expect(await values()).toEqual([1, 2, 4, 5, 6, 7])
  })

  test('by value are refused, unless there is nothing older left', async () => {
    const [one] = await files()
    await deleteEqual(table, one, 'sensor', "'s1'", { age: one.sequenceNumber })
    expect(await values()).toHaveLength(5)
    await deleteEqual(table, one, 'sensor', "'s1'")
    await expect(values()).rejects.toMatchObject({
      code: 'TABLE_UNREADABLE',
      message: expect.stringMatching(
        /^table sensors has equality deletes \(in 1 file\): they name rows by their values/,
      ),
    })
  })
})

test('dead letters that are resolved are told in a snapshot, too, and when another engine has compacted it', async () => {
  const SQL = 'SELECT _offset::INT, code, _resolved FROM sensors_dead_letters ORDER BY ALL'
  await land([reading(1), reading(666), '{'], 0)
  await land([timeless(1), '['], 3)
  const letters = await LakeTable.applied(store, {
    ...sensors,
    table: deadLetterTable(sensors) as typeof sensors.table,
  })
  await letters.commit()
  await redrive(store, undefined, { logs: { to: 2 } })
  await letters.commit()
  const judged = [
    [1, 'TRANSFORM_THREW', true],
    [2, 'JSON_INVALID', false],
    [2, 'JSON_INVALID', true],
    [3, 'EVENT_INVALID', false],
    [4, 'JSON_INVALID', false],
  ]
  expect((await ask(SQL)).rows).toEqual(judged)
  await rewriteFiles(letters)
  // Both letters of a record that was rejected twice are open then.
  expect((await ask(SQL)).rows).toEqual(judged.map(([offset, code, is]) => [offset, code, offset === 2 ? false : is]))
})

test('a table that something else has rolled back is read, and what is wrong is told', async () => {
  for (const offset of [0, 1]) {
    await land([reading(offset + 1)], offset)
    await table.commit()
  }
  const base = await table.catalog.load('sensors')
  if (base === undefined) throw new Error('no table')
  const first = base.metadata.snapshots[0]?.['snapshot-id'] ?? 0n
  await table.catalog.commit('sensors', base, {
    ...base.metadata,
    'current-snapshot-id': first,
    refs: { main: { type: 'branch', 'snapshot-id': first } },
  })
  expect(await values()).toEqual([1])
  expect((await ask('SELECT * FROM sensors')).notes).toEqual([expect.stringContaining('something has rolled it back')])
})
