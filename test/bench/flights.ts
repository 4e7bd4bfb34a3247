/**
 * What a record costs: the flow of `functions/flights` against the plain way to write the same handler by hand, on one
 * batch of real flights. Prints CPU microseconds per record and their ratio. Run: npm run bench
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { constants, gunzipSync, zstdCompressSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { flights } from '#functions/flights/pipeline.ts'
import { textTable } from '#shared/cli/text-table.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { processBatch } from '#shared/pipeline/process-batch.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { mskEventsOf, readValueFile } from '#shared/sources/value-file.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { interleaved } from './interleaved.ts'

const RECORDS = 9000
const ROUNDS = 15
const WARM_UP = 5

interface RawEvent {
  records: Record<string, { value: string }[]>
}

const january = gunzipSync(readFileSync(new URL('../../events/flights/2013-01.ndjson.gz', import.meta.url)))
const [event] = mskEventsOf(readValueFile(january, 1), flights.topic, RECORDS) as Generator<RawEvent>
if (event === undefined) throw new Error('the sample has no events')
const flow = compileFlow(flights)

type FlightRow = Record<string, unknown> & { scheduledAt: Date }

/** As a handler is written by hand: parse, safeParse, transform, group by day, one Parquet buffer each. */
function plain(): number {
  const days = new Map<string, FlightRow[]>()
  for (const records of Object.values((event as RawEvent).records)) {
    for (const record of records) {
      const parsed = flights.event.safeParse(JSON.parse(Buffer.from(record.value, 'base64').toString('utf8')))
      if (!parsed.success) continue
      const row = flights.transform({ value: parsed.data as never, record: undefined as never }) as FlightRow
      const day = row.scheduledAt.toISOString().slice(0, 10)
      const rows = days.get(day)
      if (rows === undefined) days.set(day, [row])
      else rows.push(row)
    }
  }
  let bytes = 0
  for (const rows of days.values()) bytes += plainParquet(rows).byteLength
  return bytes
}

const TYPES = { int32: 'INT32', boolean: 'BOOLEAN', string: 'STRING', timestamp: 'TIMESTAMP' } as const
const columns = flights.table.columns.filter(({ name }) => !name.startsWith('_'))

function plainParquet(rows: readonly FlightRow[]): ArrayBuffer {
  const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
  return parquetWriteBuffer({
    columnData: columns.map(({ name, type, nullable }) => ({
      name,
      nullable,
      type: TYPES[type.kind as keyof typeof TYPES],
      data: rows.map((row) => row[name]),
    })),
    codec: 'ZSTD',
    compressors: { ZSTD: (bytes) => zstdCompressSync(bytes, options) },
  })
}

/** The flow that ships: strict decoding, both contracts, audit columns, checksums, the commit log. Only the disk is left out. */
async function product(): Promise<number> {
  const lake = new ObjectStoreLake(new MemoryStore())
  const signal = new AbortController().signal
  const [report] = await processBatch(flow, parseMskEvent(event), { lake, signal, concurrency: 8 })
  if (report?.written !== RECORDS) throw new Error(`landed ${report?.written} of ${RECORDS}: ${report?.error?.message}`)
  return report.bytes
}

const measured = await interleaved(
  [
    { name: 'plain (JSON.parse, zod, hyparquet-writer)', run: plain },
    { name: 'inlet (the flow, whole)', run: product },
  ],
  ROUNDS,
  WARM_UP,
)
const perRecord = (microseconds: number): string => (microseconds / RECORDS).toFixed(2)
const [ofPlain, ofProduct] = measured
const ratio = (ofProduct?.median ?? Number.NaN) / (ofPlain?.median ?? Number.NaN)
if (process.argv.includes('--json')) {
  const result = {
    records: RECORDS,
    ratio,
    contenders: measured.map(({ name, first, median }) => ({ name, first, median })),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
} else {
  const rows = measured.map(({ name, first, median }) => [name, perRecord(median), perRecord(first)])
  process.stdout.write(
    `${textTable(['flights', 'CPU µs/record', 'first batch'], rows)}\n\nratio ${ratio.toFixed(2)}×\n`,
  )
}
