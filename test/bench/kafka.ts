/**
 * Which Kafka client: the CPU time that each takes to produce and to consume a month of flights, over and over, and what it
 * loses of what was acknowledged when the leader among three brokers is killed. Starts brokers of its own.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { formatCount, Progress } from '#shared/cli/progress.ts'
import { textTable } from '#shared/cli/text-table.ts'
import { KafkaBroker } from '#test/helpers/kafka-broker.ts'
import { type ClientName, clients } from './kafka-clients.ts'
import { type Job, SEND } from './kafka-worker.ts'

const HELP = `Measures Kafka clients against real brokers. Takes some minutes, and Java 17.

  npm run -s bench:kafka -- [--records n] [--rounds n] [--kills n] [--json]

  --records n  records in each run, in sends of 1,000 (default: 200000)
  --rounds n   runs of each client and task, of which the median counts; 0: none (default: 5)
  --kills n    how often the leader is killed under each client; 0: never (default: 3)
  --json       print the measurements as JSON

Example:
  npm run -s bench:kafka -- --records 100000 --rounds 3
`

const NUMBERED = 200_000
/** Sends have something for each broker, as real ones do. */
const PARTITIONS = 6
const KILL_AFTER = NUMBERED / 10
/** What ListOffsets takes for the end of a partition. */
const LATEST = -1n
const names = Object.keys(clients) as ClientName[]
/** What everything is a ratio to. */
const BASE: ClientName = '@platformatic/kafka'

interface Cpu {
  readonly client: ClientName
  readonly task: 'produce' | 'consume'
  readonly isZstd: boolean
  /** Seconds of CPU for a million records, one of each round. */
  readonly runs: readonly number[]
}

interface Loss {
  readonly client: ClientName
  readonly acked: number
  readonly lost: number
  readonly twice: number
  readonly repeated: number
}

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    kills: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** Runs a job to its end. @param hear called with each line but the last @returns the last line */
async function run<T>(job: Job, hear: (line: string) => void = () => undefined): Promise<T> {
  const script = path.join(import.meta.dirname, 'kafka-worker.ts')
  // kafkajs makes Node warn of its timers.
  const worker = spawn(process.execPath, ['--no-warnings', script, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(worker, 'close') as Promise<[number | null]>
  let last = ''
  for await (const line of createInterface({ input: worker.stdout })) {
    if (last !== '') hear(last)
    last = line
  }
  const [code] = await ended
  if (code !== 0) throw new Error(`${job.client} ${job.task} ended with ${String(code)}`)
  return JSON.parse(last) as T
}

async function measureCpu(records: number, rounds: number): Promise<Cpu[]> {
  const broker = await KafkaBroker.start()
  const cases = [false, true].flatMap((isZstd) =>
    (['produce', 'consume'] as const).flatMap((task) =>
      names
        .filter((client) => clients[client].hasZstd || !isZstd)
        .map((client) => ({ client, task, isZstd, runs: [] as number[] })),
    ),
  )
  const progress = new Progress('CPU', cases.length * rounds, 'runs')
  try {
    const common = { brokers: broker.brokers, partitions: 1, records }
    // All consume what one of them has produced.
    for (const isZstd of [false, true]) {
      await broker.createTopic(sourceOf(isZstd))
      await run({ ...common, task: 'produce', client: BASE, topic: sourceOf(isZstd), isZstd })
    }
    for (let round = 0; round < rounds; round++) {
      for (const [i, { client, task, isZstd, runs }] of cases.entries()) {
        const topic = task === 'produce' ? `produced-${round}-${i}` : sourceOf(isZstd)
        if (task === 'produce') await broker.createTopic(topic)
        const { cpu } = await run<{ cpu: number }>({ ...common, task, client, topic, isZstd })
        runs.push(cpu / records)
        if (task === 'produce') await broker.admin.deleteTopics({ topics: [topic] })
        progress.advance(1)
      }
    }
  } finally {
    progress.stop()
    await broker.stop()
  }
  return cases
}

const sourceOf = (isZstd: boolean): string => (isZstd ? 'source-zstd' : 'source')

async function measureLoss(kills: number): Promise<Loss[]> {
  const broker = await KafkaBroker.start({ brokers: 3 })
  const losses: Loss[] = []
  const progress = new Progress('leaders killed', kills * names.length, 'runs')
  try {
    for (let i = 0; i < kills; i++) {
      for (const [j, client] of names.entries()) {
        losses.push(await killedLeader(broker, client, `numbers-${i}-${j}`))
        progress.advance(1)
      }
    }
  } finally {
    progress.stop()
    await broker.stop()
  }
  return losses
}

async function killedLeader(broker: KafkaBroker, client: ClientName, topic: string): Promise<Loss> {
  await broker.createTopic(topic, PARTITIONS)
  for (let i = 0; i < PARTITIONS; i++) await broker.inSync(topic, i)
  const leader = await broker.leader(topic, 0)
  const job = { client, brokers: broker.brokers, topic, partitions: PARTITIONS, isZstd: false }
  const acked: number[] = []
  let killed: Promise<number> | undefined
  const { repeated } = await run<{ repeated: number }>({ ...job, task: 'numbered', records: NUMBERED }, (line) => {
    const { acked: from, records } = JSON.parse(line) as { acked: number; records: number }
    for (let n = from; n < from + records; n++) acked.push(n)
    if (acked.length >= KILL_AFTER) killed ??= broker.kill(leader).then(() => acked.length)
  })
  const before = await killed
  // Otherwise the run says nothing.
  if (before === undefined || before === NUMBERED)
    throw new Error(`${client} was not in the midst of it: ${acked.length}`)
  await broker.restart(leader)
  for (let i = 0; i < PARTITIONS; i++) await broker.inSync(topic, i)
  const found = await readNumbers(broker, topic)
  return {
    client,
    acked: acked.length,
    lost: acked.filter((n) => !found.has(n)).length,
    twice: [...found.values()].filter((times) => times > 1).length,
    repeated,
  }
}

/** How often each number is in a topic. */
async function readNumbers(broker: KafkaBroker, topic: string): Promise<Map<number, number>> {
  const [found] = await broker.admin.listOffsets({
    topics: [
      {
        name: topic,
        partitions: Array.from({ length: PARTITIONS }, (_, i) => ({ partitionIndex: i, timestamp: LATEST })),
      },
    ],
  })
  const end = (found?.partitions ?? []).reduce((sum, { offset }) => sum + Number(offset), 0)
  const times = new Map<number, number>()
  await clients[BASE].consume(broker.brokers, topic, end, (value) => {
    const n = Number(value.toString())
    times.set(n, (times.get(n) ?? 0) + 1)
  })
  return times
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function table(cpus: readonly Cpu[], losses: readonly Loss[]): string {
  const of = (client: ClientName, task: string, isZstd: boolean): string => {
    const one = (name: ClientName) =>
      median(cpus.find((each) => each.client === name && each.task === task && each.isZstd === isZstd)?.runs ?? [])
    const seconds = one(client)
    return Number.isNaN(seconds) ? 'cannot' : `${seconds.toFixed(1)} (${(seconds / one(BASE)).toFixed(2)})`
  }
  const rows = names.map((client) => {
    const own = losses.filter((each) => each.client === client)
    return [
      client,
      of(client, 'consume', false),
      of(client, 'consume', true),
      of(client, 'produce', false),
      of(client, 'produce', true),
      own.map(({ lost, acked }) => `${formatCount(lost)} of ${formatCount(acked)}`).join('; '),
      own.map(({ twice }) => formatCount(twice)).join('; '),
    ]
  })
  return textTable(
    ['client', 'consume', 'consume zstd', 'produce', 'produce zstd', 'acknowledged and lost', 'twice'],
    rows,
  )
}

async function bench(): Promise<void> {
  const records = Math.ceil(Number(options.records) / SEND) * SEND
  const load = os.loadavg()[0] ?? 0
  const [rounds, kills] = [Number(options.rounds), Number(options.kills)]
  const cpus = rounds > 0 ? await measureCpu(records, rounds) : []
  const losses = kills > 0 ? await measureLoss(kills) : []
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ records, load, node: process.version, cpus, losses })}\n`)
    return
  }
  process.stdout.write(`Seconds of CPU for a million records (ratio to ${BASE}), medians of ${options.rounds} runs of ${formatCount(records)};
load of the machine at the start: ${load.toFixed(1)}, Node ${process.version}

${table(cpus, losses)}
`)
}

if (options.help) process.stdout.write(HELP)
else await bench()
