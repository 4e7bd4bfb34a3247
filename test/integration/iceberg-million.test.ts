import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { flights as declared } from '#functions/flights/pipeline.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { processBatch, type SliceReport } from '#shared/pipeline/process-batch.ts'
import { openIcebergDuckDB } from '#test/helpers/duckdb-iceberg.ts'
import type { FlightEvent } from '#test/helpers/flights-events.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { icebergPython } from '#test/helpers/pyiceberg.ts'
import { range } from '#test/helpers/slices.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const KAFKA_PARTITIONS = 8
const SLICE = 500
/** Deliveries, each a slice of every Kafka partition: 2,000 commits, 1,000,000 records. */
const DELIVERIES = 250
/** Every so many, a delivery comes again with other boundaries, and a committer runs. */
const OFTEN = 10
const LINES = gunzipSync(readFileSync(new URL('../../events/flights/2013-01.ndjson.gz', import.meta.url)))
  .toString('utf8')
  .trimEnd()
  .split('\n')
const FIRST_TIME = Date.UTC(2013, 0, 1)

/** The flights in one table partition a month: a slice of this January is then one file. */
function flightsByMonth(): typeof declared & { table: ReturnType<typeof lockedTable> } {
  const own = declared.table.columns.filter(({ name }) => !name.startsWith('_'))
  return { ...declared, table: lockedTable('flights', own, { scheduledAt: 'month' }) }
}

/** All flights come up in every Kafka partition, each time beginning with another one. */
const lineAt = (partition: number, offset: number): string =>
  LINES[(partition * 3371 + offset) % LINES.length] as string

const directory = temporaryDirectory()
let store: DirectoryStore
let table: LakeTable
let deliver: (first: number, count: number) => Promise<SliceReport[]>
beforeEach(async () => {
  const pipeline = flightsByMonth()
  store = new DirectoryStore(directory())
  table = await LakeTable.applied(store, pipeline)
  const flow = compileFlow(pipeline)
  const source = { cluster: 'million', topic: 'flights' }
  const options = { lake: new ObjectStoreLake(store), signal: new AbortController().signal, concurrency: 4 }
  deliver = (first, count) => {
    const partitions = range(0, KAFKA_PARTITIONS - 1).map((partition) => ({
      topic: 'flights',
      partition,
      records: range(first, first + count - 1).map((offset) =>
        kafkaRecord(lineAt(partition, offset), { partition, offset, timestamp: FIRST_TIME + offset }),
      ),
    }))
    return processBatch(flow, { source, partitions }, options)
  }
})

test('a million rows over 2,000 commits, with redeliveries and committers between: each is there once', async () => {
  let entries = 0
  // Bounded, so that it falls behind, and has to catch up in the end.
  const commit = async (): Promise<boolean> => {
    const run = await table.commit({ limit: OFTEN - 1 })
    entries += run.entries
    return run.isMore
  }
  for (let i = 0; i < DELIVERIES; i++) {
    for (const { error, rows } of await deliver(i * SLICE, SLICE)) expect({ error, rows }).toEqual(LANDED)
    if (i % OFTEN !== OFTEN - 1) continue
    for (const { error, known } of await deliver((i - 0.5) * SLICE, SLICE)) expect({ error, known }).toEqual(KNOWN)
    expect(await commit()).toBe(true)
  }
  while (await commit());
  expect(entries).toBe(KAFKA_PARTITIONS * DELIVERIES)

  const locations = (await table.files()).map(({ location }) => location)
  const named = (await committedFiles(store)).get('flights')?.map(({ path: key }) => `file://${directory()}/${key}`)
  expect(locations.sort()).toEqual(named?.sort())
  expect(locations.length).toBeGreaterThanOrEqual(KAFKA_PARTITIONS * DELIVERIES)
  const duckdb = await openIcebergDuckDB(path.dirname(path.dirname(await icebergPython())))
  const files = locations.map((location) => `'${location}'`).join(', ')
  const wanted = range(0, KAFKA_PARTITIONS - 1).map(sumsOf)
  for (const source of [
    `read_parquet([${files}], hive_partitioning = false)`,
    `iceberg_scan('${(await table.metadata()).location}')`,
  ])
    expect(await duckdb.ask(`SELECT ${SUMS} FROM ${source} GROUP BY _kafka_partition ORDER BY ALL`)).toEqual(wanted)
  duckdb.close()
}, 600_000)

const LANDED = { error: null, rows: SLICE }
const KNOWN = { error: null, known: SLICE }

/** Of one Kafka partition: which offsets there are, each once, and that each has its own flight's values. */
const SUMS = `_kafka_partition AS partition, count(*)::INT AS rows, count(DISTINCT _offset)::INT AS offsets,
  min(_offset)::INT AS first, max(_offset)::INT AS last, count(*) FILTER (cancelled)::INT AS cancelled,
  sum("departureDelayMinutes")::INT AS delays, sum("distanceMiles"::BIGINT * (_offset + 1))::DOUBLE AS miles`

/** The same, computed from the events alone. */
function sumsOf(partition: number): Record<string, number> {
  const rows = DELIVERIES * SLICE
  const sums = { partition, rows, offsets: rows, first: 0, last: rows - 1, cancelled: 0, delays: 0, miles: 0 }
  for (let offset = 0; offset < rows; offset++) {
    const { distanceMiles, departureDelayMinutes: delay } = JSON.parse(lineAt(partition, offset)) as FlightEvent
    sums.cancelled += delay === null ? 1 : 0
    sums.delays += delay ?? 0
    sums.miles += distanceMiles * (offset + 1)
  }
  return sums
}
