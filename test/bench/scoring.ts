/**
 * What scores cost on the way: flights landed in memory without scores, with an endpoint on this machine, and with one that is
 * away, in turn. Rows a second by the clock, CPU time of the function's process (the model runs in another).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import * as z from 'zod'
import { flights } from '#functions/flights/pipeline.ts'
import { formatCount } from '#shared/cli/progress.ts'
import { textTable } from '#shared/cli/text-table.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import { definePipeline, type Pipeline, type TransformInput } from '#shared/pipeline/pipeline.ts'
import { type BatchOptions, processBatch } from '#shared/pipeline/process-batch.ts'
import type { Scorer } from '#shared/pipeline/scorer.ts'
import { sagemakerScorer } from '#shared/runtimes/scorer.ts'
import { flightValues } from '#test/helpers/flights-topic.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'

const RECORDS = 8000
const ROUNDS = 17
const WARM_UP = 2
const LOCAL = { region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' } }
const NOBODY = 'http://127.0.0.1:9'

const Row = flights.row.extend({ delayScore: z.number().nullable() })

const LAKE = { table: 'flights', partitionBy: { scheduledAt: 'day' } } as const
const lock = lockFor(declared(false, { ...LAKE, layout: 'files' }).table)
const LOCKED = { ...LAKE, lock }

function declared(isScored: boolean, lake: object): Pipeline {
  const score = {
    endpoint: 'flight-delay',
    features: (row: Record<string, unknown>) => [
      row['departureDelayMinutes'] as number | null,
      String(row['carrier']),
      String(row['origin']),
    ],
    into: 'delayScore',
    onUnavailable: 'defer',
  }
  return definePipeline({
    name: 'flights',
    topic: 'flights',
    event: flights.event,
    row: Row,
    transform: (input: TransformInput<unknown>) => {
      const row = flights.transform(input as never) as object | null
      return row && { ...row, delayScore: null }
    },
    lake,
    ...(isScored && { scores: { delay: score } }),
  } as never)
}

interface Contender {
  readonly name: string
  readonly land: () => Promise<void>
  readonly seconds: number[]
  readonly micros: number[]
}

const values = await flightValues()
const records = Array.from({ length: RECORDS }, (_, i) =>
  kafkaRecord(values[i % values.length] as Buffer, { topic: 'flights' }),
)

function contender(name: string, isScored: boolean, scorer?: (store: MemoryStore) => Scorer): Contender {
  const flow = compileFlow(declared(isScored, LOCKED))
  const store = new MemoryStore()
  const lake = new ObjectStoreLake(store)
  const { signal } = new AbortController()
  const scoring = scorer && { scorer: scorer(store), signal }
  const options: BatchOptions = { lake, signal, concurrency: 8, scoring }
  let offset = 0
  const land = async (): Promise<void> => {
    const batch = records.map((record) => ({ ...record, offset: offset++ }))
    const partitions = [{ topic: 'flights', partition: 0, records: batch }]
    const [report] = await processBatch(flow, { source: { cluster: 'bench', topic: 'flights' }, partitions }, options)
    if (report === undefined || report.error !== null || report.rows !== RECORDS)
      throw report?.error ?? new Error(`${name}: ${report?.rows} rows of ${RECORDS} records`)
  }
  return { name, land, seconds: [], micros: [] }
}

const endpoint = spawn(process.execPath, [`${import.meta.dirname}/endpoint-process.ts`], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
try {
  const [line] = (await once(endpoint.stdout, 'data')) as [Buffer]
  const at = (url: string) => (store: MemoryStore) => sagemakerScorer(store, () => {}, { ...LOCAL, endpoint: url })
  const contenders = [
    contender('without scores', false),
    contender('scored', true, at(line.toString().trim())),
    contender('endpoint away', true, at(NOBODY)),
  ]
  for (let round = 0; round < ROUNDS; round++) {
    for (const { land, seconds, micros } of contenders) {
      const [cpu, clock] = [process.cpuUsage(), performance.now()]
      await land()
      const { user, system } = process.cpuUsage(cpu)
      seconds.push((performance.now() - clock) / 1000)
      micros.push(user + system)
    }
  }
  const [without] = contenders as [Contender, ...Contender[]]
  const ratios = (one: Contender, of: 'seconds' | 'micros'): number[] =>
    without[of].map((each, i) => each / (one[of][i] ?? Number.NaN))
  process.stdout.write(
    `${textTable(
      ['', 'rows/s', 'CPU µs/row', 'rate, by the clock', 'rate, by CPU time', 'in the first round'],
      contenders.map((one) => [
        one.name,
        formatCount(Math.round(RECORDS / median(one.seconds))),
        (median(one.micros) / RECORDS).toFixed(2),
        ...(['seconds', 'micros'] as const).map((of) => median(ratios(one, of)).toFixed(2)),
        (ratios(one, 'seconds')[0] ?? Number.NaN).toFixed(2),
      ]),
    )}\n`,
  )
} finally {
  endpoint.stdin.end()
}
process.exit()

/** Of the warm rounds. */
function median(all: readonly number[]): number {
  const warm = all.slice(WARM_UP).sort((a, b) => a - b)
  return warm[warm.length >> 1] ?? Number.NaN
}
