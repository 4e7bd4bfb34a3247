/**
 * What a record costs: the flow against the plain way to write the same handler by hand, on real batches.
 * Prints CPU microseconds per record, their ratio, the peak of memory, and what the built handler weighs. Run: npm run bench
 */
import process from 'node:process'
import { constants, zstdCompressSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import type * as z from 'zod'
import { formatBytes } from '#shared/cli/progress.ts'
import { textTable } from '#shared/cli/text-table.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { exactIntegersOf } from '#shared/pipeline/exact-integers.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { processBatch } from '#shared/pipeline/process-batch.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { readValueFile } from '#shared/sources/value-file.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { valueEvent } from '#test/helpers/value-event.ts'
import { builtHandler } from './built-handler.ts'
import { interleaved } from './interleaved.ts'
import { type Workload, workloads } from './workloads.ts'

const ROUNDS = 15
const WARM_UP = 5
const DAY_MS = 86_400_000
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

interface RawEvent {
  readonly records: Record<string, { readonly value: string }[]>
}

type PlainRow = Record<string, unknown>

/** The batch as one MSK event of one Kafka partition. */
function eventOf({ pipeline, values }: Workload): RawEvent {
  const content = Buffer.from(values.join('\n'))
  return valueEvent(readValueFile(content, 1), pipeline.topic) as unknown as RawEvent
}

/** As a handler is written by hand: parse, safeParse, transform, group by day, a Parquet buffer for each. */
function plain(pipeline: Pipeline, contract: z.ZodType, event: RawEvent): number {
  const column = pipeline.table.partitionSpec[0]?.column ?? ''
  const groups = new Map<unknown, PlainRow[]>()
  for (const records of Object.values(event.records)) {
    for (const record of records) {
      const parsed = contract.safeParse(JSON.parse(Buffer.from(record.value, 'base64').toString('utf8')))
      if (!parsed.success) continue
      const row = pipeline.transform({ value: parsed.data as never, record: undefined as never }) as PlainRow
      const value = row[column]
      const group = value instanceof Date ? Math.floor(value.getTime() / DAY_MS) : value
      const rows = groups.get(group)
      if (rows === undefined) groups.set(group, [row])
      else rows.push(row)
    }
  }
  let bytes = 0
  for (const rows of groups.values()) bytes += plainParquet(pipeline, rows).byteLength
  return bytes
}

const TYPES: Record<string, 'INT32' | 'INT64' | 'DOUBLE' | 'BOOLEAN' | 'STRING' | 'TIMESTAMP'> = {
  int32: 'INT32',
  int64: 'INT64',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  string: 'STRING',
  timestamp: 'TIMESTAMP',
}

/** What the library makes of rows; nested values as JSON text, as most hand-written sinks have it. */
function plainParquet(pipeline: Pipeline, rows: readonly PlainRow[]): ArrayBuffer {
  const columns = pipeline.table.columns.filter(({ name }) => !name.startsWith('_'))
  return parquetWriteBuffer({
    columnData: columns.map(({ name, type }) => {
      const known = TYPES[type.kind]
      if (known === undefined)
        return { name, type: 'STRING', data: rows.map((row) => JSON.stringify(row[name], withoutBigints) ?? null) }
      if (known === 'INT64') return { name, type: known, data: rows.map((row) => BigInt(row[name] as number)) }
      if (known === 'TIMESTAMP') return { name, type: known, data: rows.map((row) => asDate(row[name])) }
      return { name, type: known, data: rows.map((row) => row[name]) }
    }),
    codec: 'ZSTD',
    compressors: { ZSTD: (bytes) => zstdCompressSync(bytes, ZSTD) },
  })
}

const asDate = (time: unknown): unknown => (typeof time === 'string' ? new Date(time) : time)
const withoutBigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)

/** The flow that ships: strict decoding, both contracts, audit columns, checksums, the commit log. Only the disk is left out. */
function flowOf(workload: Workload, event: RawEvent): () => Promise<void> {
  const flow = compileFlow(workload.pipeline)
  const { signal } = new AbortController()
  return async () => {
    const lake = new ObjectStoreLake(new MemoryStore())
    const [report] = await processBatch(flow, parseMskEvent(event), { lake, signal, concurrency: 8 })
    if (report?.written !== workload.values.length)
      throw new Error(
        `${workload.name}: landed ${report?.written} of ${workload.values.length} (${report?.error?.message ?? ''})`,
      )
  }
}

const results = []
for (const workload of workloads()) {
  const event = eventOf(workload)
  const contract = exactIntegersOf(workload.pipeline.event)
  const [byHand, inlet] = await interleaved(
    [
      { name: 'plain', run: () => plain(workload.pipeline, contract, event) },
      { name: 'inlet', run: flowOf(workload, event) },
    ],
    ROUNDS,
    WARM_UP,
  )
  if (byHand === undefined || inlet === undefined) throw new Error('nothing was measured')
  const records = workload.values.length
  const bytes = workload.values.reduce((sum, value) => sum + Buffer.byteLength(value), 0)
  results.push({
    workload: workload.name,
    records,
    bytesPerRecord: Math.round(bytes / records),
    plainMicroseconds: byHand.median / records,
    inletMicroseconds: inlet.median / records,
    ratio: inlet.median / byHand.median,
    firstBatchMicroseconds: inlet.first / records,
  })
}
const peakBytes = process.resourceUsage().maxRSS * 1024
const handler = await builtHandler('flights')

if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify({ results, peakBytes, handler })}\n`)
} else {
  const rows = results.map((result) => [
    result.workload,
    result.records,
    result.bytesPerRecord,
    result.plainMicroseconds.toFixed(2),
    result.inletMicroseconds.toFixed(2),
    `${result.ratio.toFixed(2)}×`,
    result.firstBatchMicroseconds.toFixed(2),
  ])
  const head = ['workload', 'records', 'bytes', 'plain', 'inlet', 'ratio', 'first batch']
  process.stdout.write(`CPU µs per record, median of ${ROUNDS} interleaved rounds\n\n${textTable(head, rows)}\n\n`)
  process.stdout.write(`peak memory of all of it  ${formatBytes(peakBytes)}\n`)
  process.stdout.write(
    `built handler             ${formatBytes(handler.bytes)}, imported in ${handler.importMs.toFixed(0)} ms of CPU (at most 600 kB and 100 ms)\n`,
  )
}
