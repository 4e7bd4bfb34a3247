import { createHash } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { BatchFailedError, batchResponse } from '#shared/pipeline/batch-response.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { type Delivery, processBatch, type SliceReport } from '#shared/pipeline/process-batch.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'
import { reading, sensors } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { inTemporaryDirectory, temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const flow = compileFlow(sensors)

/** What a record may be, and what must become of it: rows, a dead letter with a code, or nothing. */
const KINDS = {
  row: { value: reading(1), rows: 1, code: null },
  'row of another day': { value: reading(1, '2026-01-06'), rows: 1, code: null },
  'two rows': { value: reading(-2), rows: 2, code: null },
  skipped: { value: reading(0), rows: 0, code: null },
  tombstone: { value: null, rows: 0, code: null },
  empty: { value: '', rows: 0, code: 'JSON_INVALID' },
  'no JSON': { value: '{"sensor"', rows: 0, code: 'JSON_INVALID' },
  'no UTF-8': { value: Uint8Array.of(0x7b, 0xff), rows: 0, code: 'UTF8_INVALID' },
  'no event': { value: '{"sensor":1}', rows: 0, code: 'EVENT_INVALID' },
  throwing: { value: reading(666), rows: 0, code: 'TRANSFORM_THREW' },
} as const
type Kind = keyof typeof KINDS
const ALL = Object.keys(KINDS) as Kind[]

function sliceOf(kinds: readonly Kind[], partition = 0, first = 100): KafkaRecord[] {
  const part = { topic: 'sensors', partition }
  return kinds.map((kind, i) => {
    const at = { offset: first + i, timestamp: 1_767_600_000_000 + i }
    return kafkaRecord(KINDS[kind].value, { ...part, ...at, key: Uint8Array.of(i) })
  })
}

function deliver(
  store: ObjectStore,
  slices: readonly KafkaRecord[][],
  signal = new AbortController().signal,
): Promise<SliceReport[]> {
  const partitions = slices.map((records, i) => ({ topic: 'sensors', partition: records[0]?.partition ?? i, records }))
  const delivery: Delivery = { source: { cluster: 'demo', topic: 'sensors' }, partitions }
  return processBatch(flow, delivery, { lake: new ObjectStoreLake(store), signal, concurrency: 4 })
}

/** What a reader sees: the rows of the files that commits name, by table. */
async function read(store: ObjectStore, table: string): Promise<Row[]> {
  const files = (await committedFiles(store)).get(table) ?? []
  const rows = await Promise.all(files.map(async ({ path: key }) => readParquet((await store.get(key)) as Uint8Array)))
  return rows.flat()
}

const positionIn = (row: Row): string => `${String(row['_kafka_partition'])}@${String(row['_offset'])}`

/** Position → `rows`, the code of the dead letter, or both when something is badly wrong. */
async function placesIn(store: ObjectStore): Promise<Map<string, string[]>> {
  const places = new Map<string, string[]>()
  const put = (row: Row, place: string): unknown =>
    places.set(positionIn(row), [...(places.get(positionIn(row)) ?? []), place])
  for (const row of await read(store, 'sensors')) put(row, 'row')
  for (const row of await read(store, 'sensors_dead_letters')) put(row, String(row['code']))
  return places
}

function expectedPlaces(slices: readonly (readonly Kind[])[], first = 100): Map<string, string[]> {
  const places = new Map<string, string[]>()
  for (const [partition, kinds] of slices.entries()) {
    for (const [i, kind] of kinds.entries()) {
      const { rows, code } = KINDS[kind]
      const place = code === null ? Array.from({ length: rows }, () => 'row') : [code]
      if (place.length > 0) places.set(`${partition}@${first + i}`, place)
    }
  }
  return places
}

const directory = temporaryDirectory()
const openStore = (): DirectoryStore => new DirectoryStore(path.join(directory(), 'lake'))

/** All but that a log was announced. */
async function landedIn(store: ObjectStore): Promise<string[]> {
  return (await keysOf(store, '')).filter((key) => !key.endsWith('/announced'))
}

describe('every record ends in exactly one place', () => {
  test('whatever the records are, and however they are dealt to partitions', async () => {
    const slices = fc.array(fc.array(fc.constantFrom(...ALL), { maxLength: 12 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(slices, (kinds) =>
        inTemporaryDirectory(async (root) => {
          const store = new DirectoryStore(root)
          const reports = await deliver(
            store,
            kinds.map((some, partition) => sliceOf(some, partition)),
          )
          for (const [i, report] of reports.entries()) {
            const { records, written, skipped, rejected } = report
            expect(report.error).toBeNull()
            expect(written + skipped + rejected).toBe(records)
            expect(records).toBe(kinds[i]?.length)
          }
          expect(await placesIn(store)).toEqual(expectedPlaces(kinds))
        }),
      ),
      { numRuns: 25 },
    )
  }, 60_000)

  test('and the report counts it', async () => {
    const [report] = await deliver(openStore(), [sliceOf(ALL)])
    expect(report).toMatchObject({
      topic: 'sensors',
      partition: 0,
      firstOffset: 100,
      lastOffset: 109,
      records: 10,
      known: 0,
      written: 3,
      skipped: 2,
      rejected: 5,
      rows: 4,
      files: 3,
      error: null,
    })
  })

  test('a slice without records is nothing to commit', async () => {
    const store = openStore()
    const [report] = await deliver(store, [[]])
    expect(report).toMatchObject({ records: 0, firstOffset: -1, lastOffset: -1, files: 0, bytes: 0, error: null })
    expect(await keysOf(store, '')).toEqual([])
  })
})

test('dead letters hold the bytes, the key and the position of their records', async () => {
  const store = openStore()
  const records = sliceOf(ALL)
  await deliver(store, [records])
  const letters = await read(store, 'sensors_dead_letters')
  const rejected = records.filter((_, i) => KINDS[ALL[i] as Kind].code !== null)
  expect(letters.map(({ key, value, _offset }) => ({ key, value, offset: Number(_offset) }))).toEqual(
    rejected.map(({ key, value, offset }) => ({ key, value, offset })),
  )
})

test.each(ALL)('a record never changes what becomes of its neighbours: %s', async (kind) => {
  const [alone, beside] = [
    new DirectoryStore(path.join(directory(), 'a')),
    new DirectoryStore(path.join(directory(), 'b')),
  ]
  const slice = sliceOf(['row', kind, 'two rows', kind, 'row of another day'])
  const neighbours = slice.filter((_, i) => i % 2 === 0)
  await deliver(alone, [neighbours])
  await deliver(beside, [slice])
  const offsets = new Set(neighbours.map(({ offset }) => BigInt(offset)))
  const rows = (await read(beside, 'sensors')).filter((row) => offsets.has(row['_offset'] as bigint))
  expect(rows).toEqual(await read(alone, 'sensors'))
  expect(rows).toHaveLength(4)
})

test('a data file is what the commit says of it, and says who wrote it', async () => {
  const store = openStore()
  await deliver(store, [sliceOf(['row', 'two rows', 'row of another day'])])
  const files = (await committedFiles(store)).get('sensors') ?? []
  expect(files.map(({ partition, rows }) => [partition, rows])).toEqual([
    [{ at_day: 20_458 }, 3],
    [{ at_day: 20_459 }, 1],
  ])
  for (const file of files) {
    const body = (await store.get(file.path)) as Uint8Array
    expect(file.path).toMatch(/^tables\/sensors\/data\/at_day=2026-01-0[56]\/[^/]+\.parquet$/)
    expect(file.bytes).toBe(body.length)
    expect(file.sha256).toBe(createHash('sha256').update(body).digest('hex'))
    const metadata = parquetMetadata(new Uint8Array(body).buffer)
    const written = Object.fromEntries((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value]))
    expect(Number(metadata.num_rows)).toBe(file.rows)
    expect(written).toMatchObject({ 'inlet.pipeline': 'sensors', 'inlet.pipeline_version': sensors.version })
    expect(file.path).toContain(written['inlet.attempt'])
  }
})

test('what is delivered again is known, and adds nothing', async () => {
  const store = openStore()
  await deliver(store, [sliceOf(ALL)])
  const before = await keysOf(store, '')
  const [again] = await deliver(store, [sliceOf(ALL)])
  expect(again).toMatchObject({ records: 10, known: 10, written: 0, skipped: 0, rejected: 0, files: 0, error: null })
  expect(await keysOf(store, '')).toEqual(before)
})

describe('a fault of the world fails the slice, and nothing is acknowledged', () => {
  /** The store, but for what `fault` refuses. */
  function faulty(store: ObjectStore, fault: (operation: string, key: string) => void): ObjectStore {
    return {
      url: store.url,
      put: async (key, body) => {
        fault('put', key)
        await store.put(key, body)
      },
      putIfAbsent: async (key, body) => {
        fault('putIfAbsent', key)
        return store.putIfAbsent(key, body)
      },
      get: (key) => store.get(key),
      size: (key) => store.size(key),
      list: (prefix, options) => store.list(prefix, options),
      delete: (key) => store.delete(key),
    }
  }

  const unavailable = (): never => {
    throw new InletError('STORE_UNAVAILABLE', 'slow down')
  }

  test.each<[string, (operation: string, key: string) => void]>([
    ['every data file', (operation) => operation === 'put' && unavailable()],
    ['the dead letters', (_, key) => key.includes('dead_letters') && unavailable()],
    ['the commit', (operation) => operation === 'putIfAbsent' && unavailable()],
  ])('that keeps %s from being written', async (_, fault) => {
    const store = openStore()
    const reports = await deliver(faulty(store, fault), [sliceOf(ALL)])
    expect(reports[0]?.error).toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true })
    expect(reports[0]).toMatchObject({ records: 10, written: 0, skipped: 0, rejected: 0, rows: 0, files: 0 })
    expect(() => {
      batchResponse(
        reports,
        { source: { cluster: 'demo', topic: 'sensors' }, partitions: [] },
        { partialResponses: false },
      )
    }).toThrow(BatchFailedError)
    expect(await placesIn(store)).toEqual(new Map())

    const [again] = await deliver(store, [sliceOf(ALL)])
    expect(again).toMatchObject({ known: 0, written: 3, skipped: 2, rejected: 5, error: null })
    expect(await placesIn(store)).toEqual(expectedPlaces([ALL]))
  })

  test('of the disk: a file where the tables should be', async () => {
    const store = openStore()
    await store.put('log/x', new Uint8Array())
    const tables = path.join(directory(), 'lake/tables')
    await writeFile(tables, 'a file')
    const reports = await deliver(store, [sliceOf(ALL)])
    expect(reports[0]?.error).toMatchObject({ code: 'STORE_DENIED', stage: 'store' })
    await rm(tables)
    await deliver(store, [sliceOf(ALL)])
    expect(await placesIn(store)).toEqual(expectedPlaces([ALL]))
  })

  test('but not its neighbours, which are durable when the batch fails', async () => {
    const store = openStore()
    const broken = faulty(store, (_, key) => key.includes('/p1/') && unavailable())
    const reports = await deliver(broken, [sliceOf(ALL, 0), sliceOf(ALL, 1), sliceOf(ALL, 2)])
    expect(reports.map(({ error }) => error?.code ?? null)).toEqual([null, 'STORE_UNAVAILABLE', null])
    expect(() => {
      batchResponse(
        reports,
        { source: { cluster: 'demo', topic: 'sensors' }, partitions: [] },
        { partialResponses: false },
      )
    }).toThrow('1 of 3 slices')
    expect(await placesIn(store)).toEqual(expectedPlaces([ALL, [], ALL]))

    const again = await deliver(store, [sliceOf(ALL, 0), sliceOf(ALL, 1), sliceOf(ALL, 2)])
    expect(again.map(({ known }) => known)).toEqual([10, 0, 10])
    expect(await placesIn(store)).toEqual(expectedPlaces([ALL, ALL, ALL]))
  })

  test('and one that is no error of ours is unexpected, and says what was done', async () => {
    const broken = faulty(openStore(), () => {
      throw new TypeError('x is not a function')
    })
    const [report] = await deliver(broken, [sliceOf(['row'])])
    expect(report?.error).toMatchObject({ code: 'UNEXPECTED', canRetry: true })
    expect(report?.error?.message).toBe('landing sensors-0: x is not a function')
  })
})

test('when too little time is left nothing is begun', async () => {
  const store = openStore()
  const reports = await deliver(store, [sliceOf(ALL), sliceOf(ALL, 1)], AbortSignal.abort())
  expect(reports.map(({ error }) => error?.code)).toEqual(['DEADLINE_NEAR', 'DEADLINE_NEAR'])
  expect(reports[0]?.error?.message).toMatch(/^sensors-0: /)
  expect(await landedIn(store)).toEqual([])
})

test('records that do not add up are not committed', async () => {
  const store = openStore()
  const [first] = sliceOf(['row'])
  const delivery: Delivery = {
    source: { cluster: 'demo', topic: 'sensors' },
    partitions: [{ topic: 'sensors', partition: 0, records: [first] as KafkaRecord[] }],
  }
  const wrong = { ...flow, recordPath: () => ({ kind: 'written' as const, rows: [] }) }
  const options = { lake: new ObjectStoreLake(store), signal: new AbortController().signal, concurrency: 1 }
  const [report] = await processBatch(wrong, delivery, options)
  expect(report?.error).toMatchObject({ code: 'UNBALANCED', canRetry: false })
  expect(await landedIn(store)).toEqual([])
})
