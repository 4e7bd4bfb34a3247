import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import * as z from 'zod'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import { processBatch, type SliceReport } from '#shared/pipeline/process-batch.ts'
import { readLinesWithDuckDB } from '#test/helpers/duckdb-reader.ts'
import { linesOf } from '#test/helpers/json-lines-reader.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'

const Reading = z.object({ sensor: z.string(), at: z.iso.datetime(), value: z.number().nullable() })

function pipelineOf(format: 'jsonl.gz' | 'jsonl.zst'): Pipeline {
  return definePipeline({
    name: 'readings',
    topic: 'flights',
    event: Reading,
    row: Reading.extend({ at: z.date() }),
    transform: ({ value }) => ({ ...value, at: new Date(value.at) }),
    lake: { table: 'readings', layout: 'files', partitionBy: { at: 'day' }, format, keep: ['key', 'headers'] },
  })
}

const TEXTS = ['plain', 'two\nlines', 'U+2028 \u2028', '😀', '']

/** Readings of two days, and between them two records that are none. */
async function land(store: ObjectStore, format: 'jsonl.gz' | 'jsonl.zst'): Promise<SliceReport> {
  const values = TEXTS.map((sensor, i) =>
    JSON.stringify({ sensor, at: `2026-01-0${(i % 2) + 1}T10:00:00Z`, value: i / 2 }),
  )
  values.splice(2, 0, '{"sensor":', '{"sensor":5}')
  const header = { name: 'h', value: Uint8Array.of(0xff) }
  const records = values.map((value, offset) =>
    kafkaRecord(value, { offset, key: Uint8Array.of(offset), headers: [header] }),
  )
  const delivery = {
    source: { cluster: 'demo', topic: 'flights' },
    partitions: [{ topic: 'flights', partition: 0, records }],
  }
  const options = { lake: new ObjectStoreLake(store), signal: new AbortController().signal, concurrency: 2 }
  const [report] = await processBatch(compileFlow(pipelineOf(format)), delivery, options)
  return report as SliceReport
}

async function bodiesOf(store: ObjectStore, table: string): Promise<{ path: string; body: Uint8Array }[]> {
  const files = (await committedFiles(store)).get(table) ?? []
  return Promise.all(files.map(async ({ path }) => ({ path, body: (await store.get(path)) as Uint8Array })))
}

describe.each([
  ['jsonl.gz', 'gzip'],
  ['jsonl.zst', 'zstd'],
] as const)('a table of %s', (format, compression) => {
  test('lands and is found to be whole, file by file', async () => {
    const store = new MemoryStore()
    expect(await land(store, format)).toMatchObject({ written: 5, rejected: 2, rows: 5, files: 3, error: null })
    const verification = await verifyLake(store, { deep: true })
    expect(verification.faults).toEqual([])
    expect(verification).toMatchObject({
      files: 3,
      orphans: [],
      counts: { records: 7, written: 5, rejected: 2, rows: 5 },
    })
  })

  test('has its rows in lines, a file for each day', async () => {
    const store = new MemoryStore()
    await land(store, format)
    const files = await bodiesOf(store, 'readings')
    expect(files.map(({ path }) => path.endsWith(`.${format}`))).toEqual([true, true])
    const lines = files.map(({ body }) => linesOf(body, compression).map((line) => JSON.parse(line) as object))
    expect(lines.map((rows) => rows.length).sort((a, b) => a - b)).toEqual([2, 3])
    expect(lines.flat()).toHaveLength(5)
    expect(lines.flat()).toContainEqual({
      sensor: 'two\nlines',
      at: '2026-01-02T10:00:00.000000Z',
      value: 0.5,
      _key: 'AQ==',
      _headers: [{ name: 'h', value: '/w==' }],
      _epoch: 0,
      _kafka_partition: 0,
      _offset: 1,
      _index: 0,
      _timestamp: '2013-01-01T10:00:00.000000Z',
    })
  })

  test('is read by DuckDB with the types of the columns', async () => {
    const store = new MemoryStore()
    await land(store, format)
    const { columns } = pipelineOf(format).table
    const files = await bodiesOf(store, 'readings')
    const tables = await Promise.all(files.map(({ body }) => readLinesWithDuckDB(body, format, columns)))
    const rows = tables.flatMap((table) => table.rows)
    expect(new Set(rows.map((row) => row['sensor']))).toEqual(new Set(TEXTS))
    expect(rows.find((row) => row['sensor'] === 'plain')).toMatchObject({
      _key: '00',
      _headers: [{ name: 'h', value: 'ff' }],
    })
  })

  test('has dead letters of Parquet', async () => {
    const store = new MemoryStore()
    await land(store, format)
    const [file, ...others] = await bodiesOf(store, 'readings_dead_letters')
    expect([file?.path.endsWith('.parquet'), others]).toEqual([true, []])
    const rows = await readParquet(file?.body as Uint8Array)
    expect(rows.map((row) => [Number(row['_offset']), row['code']])).toEqual([
      [2, 'JSON_INVALID'],
      [3, 'EVENT_INVALID'],
    ])
  })
})

/** The lake with a line less in one of its files, and with the checksum and size that the file then has. */
async function withLineLess(store: MemoryStore): Promise<string> {
  const [file] = await bodiesOf(store, 'readings')
  const body = gzipSync(
    gunzipSync(file?.body as Uint8Array)
      .toString()
      .replace(/[^\n]*\n/, ''),
  )
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  await store.put(file?.path as string, body)
  for await (const { key } of store.list('')) {
    if (!key.includes('/commits/')) continue
    const commit = Buffer.from((await store.get(key)) as Uint8Array).toString()
    const changed = commit
      .replace(digest(file?.body as Uint8Array), digest(body))
      .replace(`"bytes":${file?.body.length}`, `"bytes":${body.length}`)
    await store.put(key, Buffer.from(changed))
  }
  return file?.path as string
}

test('lines are counted', async () => {
  const store = new MemoryStore()
  await land(store, 'jsonl.gz')
  const path = await withLineLess(store)
  expect((await verifyLake(store, { deep: false })).faults).toEqual([])
  const { faults } = await verifyLake(store, { deep: true })
  expect(faults).toEqual([{ object: path, fault: expect.stringMatching(/^holds (1|2) rows, not (2|3)/) }])
})
