import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { flights as declared } from '#functions/flights/pipeline.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { processBatch } from '#shared/pipeline/process-batch.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { openIcebergDuckDB } from '#test/helpers/duckdb-iceberg.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { LakeTable } from '#test/helpers/lake-table.ts'
import { icebergPython } from '#test/helpers/pyiceberg.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

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

const directory = temporaryDirectory()

/** The flights in one table partition a month: a slice of this January is then one file. */
function flightsByMonth(): typeof declared & { table: ReturnType<typeof lockedTable> } {
  const own = declared.table.columns.filter(({ name }) => !name.startsWith('_'))
  return { ...declared, table: lockedTable('flights', own, { scheduledAt: 'month' }) }
}

/** All flights come up in every Kafka partition, each time beginning with another one. */
const lineAt = (partition: number, offset: number): string =>
  LINES[(partition * 3371 + offset) % LINES.length] as string

function recordsOf(partition: number, first: number, count: number): KafkaRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const offset = first + i
    return kafkaRecord(lineAt(partition, offset), { partition, offset, timestamp: FIRST_TIME + offset })
  })
}

/** What the table must hold, computed from the events alone. */
interface Sums {
  readonly rows: number
  readonly miles: number
  readonly delays: number
  readonly cancelled: number
}

function sumsOfEvents(): Sums {
  const events = LINES.map((line) => JSON.parse(line) as { distanceMiles: number; departureDelayMinutes: number | null })
  const sums = { rows: 0, miles: 0, delays: 0, cancelled: 0 }
  for (let partition = 0; partition < KAFKA_PARTITIONS; partition++) {
    for (let offset = 0; offset < DELIVERIES * SLICE; offset++) {
      const { distanceMiles, departureDelayMinutes } = events[(partition * 3371 + offset) % events.length] as (typeof events)[0]
      sums.rows += 1
      sums.miles += distanceMiles
      sums.delays += departureDelayMinutes ?? 0
      sums.cancelled += departureDelayMinutes === null ? 1 : 0
    }
  }
  return sums
}

const SUMS = `count(*)::INT AS rows, sum("distanceMiles")::INT AS miles, sum("departureDelayMinutes")::INT AS delays,
  count(*) FILTER (cancelled)::INT AS cancelled`

test('a million rows over 2,000 commits, with redeliveries and committers between: each once', async () => {
  const flow = compileFlow(flightsByMonth())
  const store = new DirectoryStore(directory())
  const table = new LakeTable(store, flow.pipeline as ReturnType<typeof flightsByMonth>)
  await table.apply()
  const options = { lake: new ObjectStoreLake(store), signal: new AbortController().signal, concurrency: 4 }
  const deliver = async (first: number, count: number): Promise<number> => {
    const partitions = Array.from({ length: KAFKA_PARTITIONS }, (_, partition) => {
      return { topic: 'flights', partition, records: recordsOf(partition, first, count) }
    })
    const reports = await processBatch(flow, { source: { cluster: 'million', topic: 'flights' }, partitions }, options)
    for (const { error } of reports) if (error !== null) throw error
    return reports.reduce((sum, { rows }) => sum + rows, 0)
  }

  const times = { landing: 0, committing: 0, runs: 0 }
  const timed = async <T>(what: 'landing' | 'committing', work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await work()
    times[what] += performance.now() - start
    return result
  }
  for (let i = 0; i < DELIVERIES; i++) {
    await timed('landing', () => deliver(i * SLICE, SLICE))
    if (i % OFTEN !== OFTEN - 1) continue
    // What has landed comes again, with other boundaries.
    expect(await deliver(Math.floor((i - 0.5) * SLICE), SLICE)).toBe(0)
    // Bounded, so that it falls behind, and has to catch up in the end.
    const { isMore } = await timed('committing', () => table.commit({ limit: OFTEN - 1 }))
    expect(isMore).toBe(true)
    times.runs += 1
  }
  for (let isMore = true; isMore; times.runs += 1)
    ({ isMore } = await timed('committing', () => table.commit({ limit: OFTEN - 1 })))

  const wanted = sumsOfEvents()
  const files = await table.files()
  expect(files).toHaveLength(KAFKA_PARTITIONS * DELIVERIES)
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  const paths = files.map(({ location }) => `'${location.replace('file://', '')}'`)
  await connection.run(`CREATE VIEW rows AS FROM read_parquet([${paths.join(', ')}], hive_partitioning = false)`)
  const [sums, places] = [
    await connection.runAndReadAll(`SELECT ${SUMS} FROM rows`),
    await connection.runAndReadAll(
      `SELECT _kafka_partition, count(*)::INT, count(DISTINCT _offset)::INT, min(_offset)::INT, max(_offset)::INT
       FROM rows WHERE _index = 0 AND _epoch = 0 GROUP BY ALL ORDER BY 1`,
    ),
  ]
  connection.closeSync()
  instance.closeSync()
  expect(sums.getRowObjectsJson()).toEqual([wanted])
  const each = DELIVERIES * SLICE
  expect(places.getRows()).toEqual(
    Array.from({ length: KAFKA_PARTITIONS }, (_, partition) => [partition, each, each, 0, each - 1]),
  )

  const iceberg = await openIcebergDuckDB(path.dirname(path.dirname(await icebergPython())))
  const started = performance.now()
  const read = await iceberg.ask(`SELECT ${SUMS} FROM iceberg_scan('${(await table.metadata()).location}')`)
  iceberg.close()
  expect(read).toEqual([wanted])
  const seconds = (ms: number): string => (ms / 1000).toFixed(1)
  process.stderr.write(
    `landing ${seconds(times.landing)} s, ${times.runs} committer runs ${seconds(times.committing)} s, ` +
      `DuckDB's Iceberg ${seconds(performance.now() - started)} s\n`,
  )
}, 600_000 + VENV_TIMEOUT_MS)
