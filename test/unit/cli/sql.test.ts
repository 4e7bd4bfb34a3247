import { readdir } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { answerSql } from '#shared/cli/sql.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { FileFormat } from '#shared/pipeline/table.ts'
import { MEASUREMENT, measurements } from '#test/fixtures/measurements.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { mended, redrive, timeless } from '#test/helpers/mending-sensors.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()

const written = (format: FileFormat): Pipeline => ({ ...measurements, table: { ...measurements.table, format } })
const columnsOf = async () => measurements.table.columns

const SPARSE = { ...MEASUREMENT, ratio: null, label: '{"a":1}', raw: '', tags: [], parts: [], blobs: {}, place: null }

/** An MSK event of measurements, whose first record has a key and headers. */
function event(values: readonly unknown[], firstOffset = 0): unknown {
  const records = values.map((value, i) => ({
    topic: 'measurements',
    partition: 0,
    offset: firstOffset + i,
    timestamp: 1_700_000_000_000 + firstOffset + i,
    timestampType: 'LOG_APPEND_TIME',
    key: i === 0 ? '/wA=' : null,
    value: Buffer.from(JSON.stringify(value)).toString('base64'),
    headers: i === 0 ? [{ a: [-1, 0] }] : [],
  }))
  return { ...(sensorEvent([]) as object), records: { 'measurements-0': records } }
}

async function rowsOf(store: ObjectStore, sql: string, known?: typeof columnsOf): Promise<unknown[]> {
  const { columns, rows } = await answerSql(sql, store, known && { columnsOf: known })
  return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])))
}

const temporaryFolders = async (): Promise<string[]> =>
  (await readdir(os.tmpdir())).filter((name) => name.startsWith('inlet-files-'))

describe('JSON Lines', () => {
  test.each(['jsonl.gz', 'jsonl.zst'] as const)('%s: the same types and values as Parquet', async (format) => {
    const [lines, parquet] = [new MemoryStore(), new MemoryStore()]
    await deliver(lines, written(format), event([MEASUREMENT, SPARSE]))
    await deliver(parquet, written('parquet'), event([MEASUREMENT, SPARSE]))
    const types = 'DESCRIBE measurements'
    expect(await rowsOf(lines, types, columnsOf)).toEqual(await rowsOf(parquet, types))
    const all = 'SELECT * FROM measurements ORDER BY _offset'
    const rows = await rowsOf(lines, all, columnsOf)
    expect(rows).toEqual(await rowsOf(parquet, all))
    expect(rows[0]).toMatchObject({
      at: '2013-01-01 10:00:00.123456+00',
      price: '-1234567890.12',
      big: '9007199254740991',
      raw: '\\x00\\x01\\x02\\xFF',
      parts: [
        { name: 'a', blob: '\\x00\\x01' },
        { name: 'b', blob: null },
      ],
      _key: '\\xFF\\x00',
      _headers: [{ name: 'a', value: '\\xFF\\x00' }],
    })
    expect(rows[1]).toMatchObject({ place: null, blobs: [], _key: null })
  })

  test.each([
    ['known to a pipeline', columnsOf],
    ['known by the Parquet files alone', undefined],
  ])('a table of all formats is one table, its columns %s', async (_, known) => {
    const store = new MemoryStore()
    for (const [i, format] of (['parquet', 'jsonl.gz', 'jsonl.zst'] as const).entries())
      await deliver(store, written(format), event([MEASUREMENT, SPARSE], 2 * i))
    const rows = (await rowsOf(
      store,
      'SELECT * EXCLUDE (_offset, _timestamp) FROM measurements ORDER BY _offset',
      known,
    )) as { parts: unknown; blobs: unknown; place: unknown }[]
    expect(rows).toHaveLength(6)
    const simple = rows.map(({ parts, blobs, place, ...rest }) =>
      known === undefined ? rest : { parts, blobs, place, ...rest },
    )
    expect(simple.slice(2, 4)).toEqual(simple.slice(0, 2))
    expect(simple.slice(4)).toEqual(simple.slice(0, 2))
  })

  test('columns of another version of the pipeline are there too', async () => {
    const store = new MemoryStore()
    await deliver(store, written('jsonl.gz'), event([MEASUREMENT]))
    const { columns } = await answerSql('SELECT * FROM measurements', store, {
      columnsOf: async () => measurements.table.columns.filter(({ name }) => name !== 'label'),
    })
    expect(columns).toContain('label')
  })
})

describe('which tables', () => {
  let store: MemoryStore
  const fetched: string[] = []

  beforeEach(async () => {
    fetched.length = 0
    const lake = new MemoryStore()
    await deliver(lake, sensors, sensorEvent([reading(1), '{']))
    await deliver(
      lake,
      { ...sensors, name: 'o', table: { ...sensors.table, name: 'order' } },
      sensorEvent([reading(2)]),
    )
    store = lake.through(async ({ operation, key }, effect) => {
      if (operation === 'get' && key.includes('/data/')) fetched.push(key.split('/')[1] ?? '')
      return effect()
    })
  })

  test.each([
    ['SELECT value FROM sensors', ['sensors'], [[1]]],
    ['SELECT value FROM SENSORS', ['sensors'], [[1]]],
    ['SELECT value FROM "order"', ['order'], [[2]]],
    ['SELECT code FROM sensors_dead_letters', ['sensors_dead_letters'], [['JSON_INVALID']]],
    ['SELECT sensors.value + o.value FROM sensors, "order" o', ['order', 'sensors'], [[3]]],
  ])('%s: only what it names is fetched', async (sql, tables, rows) => {
    expect((await answerSql(sql, store)).rows).toEqual(rows)
    expect(fetched.sort()).toEqual(tables)
  })

  test('SQL that names none can list them, and is told when it tries to read one', async () => {
    expect((await answerSql('SHOW TABLES', store)).rows).toEqual([['order'], ['sensors'], ['sensors_dead_letters']])
    await expect(answerSql("SELECT * FROM query_table('sen' || 'sors')", store)).rejects.toThrow(
      'the query must name the table sensors to read it',
    )
  })

  test('the copies are gone afterwards, also when the query fails', async () => {
    const before = await temporaryFolders()
    await answerSql('SELECT 1 FROM sensors', store)
    await expect(answerSql('SELECT nope FROM sensors', store)).rejects.toThrow(/nope[^]*\nThe lake's tables: /)
    expect(await temporaryFolders()).toEqual(before)
  })

  test('there is no way out of the copies', async () => {
    await expect(answerSql("SELECT * FROM sensors, read_text('/etc/hostname')", store)).rejects.toThrow('disabled')
    await expect(answerSql("COPY sensors TO '/tmp/inlet-escaped.csv'", store)).rejects.toThrow('disabled')
  })
})

describe('tables of dead letters have a column that says which are resolved', () => {
  test.each([
    ['a directory', () => new DirectoryStore(directory())],
    ['copies', () => new MemoryStore()],
  ])('in %s', async (_, open) => {
    const store = open()
    await deliver(store, sensors, sensorEvent([reading(1), reading(666), '{', timeless(1)]))
    await deliver(store, sensors, sensorEvent([reading(666)], 0, 4))
    const SQL = 'SELECT _offset::INT, code, _resolved FROM sensors_dead_letters ORDER BY ALL'
    const open4 = [
      [1, 'TRANSFORM_THREW', false],
      [2, 'JSON_INVALID', false],
      [3, 'EVENT_INVALID', false],
      [4, 'TRANSFORM_THREW', false],
    ]
    expect((await answerSql(SQL, store)).rows).toEqual(open4)
    await redrive(store, mended, { logs: { to: 2 } })
    expect((await answerSql(SQL, store)).rows).toEqual([
      [1, 'TRANSFORM_THREW', true],
      [2, 'JSON_INVALID', false],
      [2, 'JSON_INVALID', true],
      [3, 'EVENT_INVALID', false],
      [4, 'TRANSFORM_THREW', false],
    ])
    const joined = 'SELECT count(*)::INT FROM sensors_dead_letters JOIN sensors USING (_offset) WHERE _resolved'
    expect((await answerSql(joined, store)).rows).toEqual([[1]])
  })

  test('it is the last of their columns, and no other table has it', async () => {
    const store = new MemoryStore()
    await deliver(store, sensors, sensorEvent([reading(1), '{']))
    const { columns } = await answerSql('SELECT * FROM sensors_dead_letters', store)
    expect(columns.slice(-2)).toEqual(['_timestamp', '_resolved'])
    expect((await answerSql('SELECT * FROM sensors', store)).columns).not.toContain('_resolved')
    // Where no table is named, their columns are shown all the same.
    const shown = `SELECT column_name FROM information_schema.columns WHERE table_schema = 'main' AND column_name = '_resolved'`
    expect((await answerSql(shown, store)).rows).toEqual([['_resolved']])
  })
})

test('times are shown in UTC wherever the machine is', async () => {
  const store = new MemoryStore()
  await deliver(store, sensors, sensorEvent([reading(1, '2026-01-05')]))
  expect((await answerSql(`SELECT s.at, s.at::DATE, current_setting('TimeZone') FROM sensors s`, store)).rows).toEqual([
    ['2026-01-05 10:00:00+00', '2026-01-05', 'UTC'],
  ])
})

test('a lake of skipped records has no tables; where there is no lake, that is what is said', async () => {
  const store = new DirectoryStore(path.join(directory(), 'lake'))
  await expect(answerSql('SELECT 1', store)).rejects.toThrow(/file:.*lake: there is no commit log here/)
  await deliver(store, sensors, sensorEvent([reading(0)]))
  expect((await answerSql('SELECT 1', store)).rows).toEqual([[1]])
  await expect(answerSql('SELECT * FROM sensors', store)).rejects.toThrow("The lake's tables: none yet")
})

test('thousands of files are one table', async () => {
  const store = new DirectoryStore(directory())
  await deliver(store, sensors, sensorEvent([reading(1)]))
  const commit = (await keysOf(store, 'log/')).find((key) => key.includes('/commits/')) ?? ''
  const entry = JSON.parse(Buffer.from((await store.get(commit)) ?? []).toString()) as { files: object[] }
  entry.files = Array.from({ length: 3000 }, () => entry.files[0] as object)
  await store.put(commit, Buffer.from(JSON.stringify(entry)))
  expect((await answerSql('SELECT sum(value)::INT FROM sensors', store)).rows).toEqual([[3000]])
}, 30_000)
