import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Progress } from '#shared/cli/progress.ts'
import { flightSums, flightValues, lakeSums, produceFlights } from '#test/helpers/flights-topic.ts'
import type { KafkaBroker } from '#test/helpers/kafka-broker.ts'
import { type Cost, MeasuredProcess } from './measured-process.ts'
import type { Counted } from './stream-counter.ts'
import type { Place } from './stream-places.ts'

/** What a way into the lake takes: medians of its rounds. */
export interface Speed {
  readonly name: string
  /** Seconds of CPU to start and to find nothing to do. */
  readonly startSeconds: number
  /** Seconds of CPU for a million records, beyond the start. */
  readonly cpuSeconds: number
  /** The same of each round. */
  readonly rounds: readonly number[]
  /** What a core does in a second of its time, beyond the start. */
  readonly recordsPerSecond: number
  readonly bytesPerSecond: number
  readonly peakBytes: number
}

interface Contender {
  readonly name: string
  /** One run over the whole topic, and another that finds nothing left. @throws Error when the lake has not got what it should */
  readonly run: (round: number) => Promise<{ readonly whole: Cost; readonly idle: Cost }>
}

export interface SpeedOptions {
  readonly broker: KafkaBroker
  readonly places: readonly Place[]
  readonly directory: string
  readonly records: number
  readonly rounds: number
}

export const PARTITIONS = 8
/** The topic of the pipeline. */
const TOPIC = 'flights'
const EMPTY = 'empty'

/** Fills the topic once, and has each contender take it in turn, round after round. The first is what others are a ratio to. */
export async function measureSpeed(options: SpeedOptions): Promise<readonly Speed[]> {
  const { broker, places, records, rounds } = options
  await broker.createTopic(TOPIC, PARTITIONS)
  await broker.createTopic(EMPTY, PARTITIONS)
  await produceFlights(broker.brokers, TOPIC, records, PARTITIONS)
  const bytes = await valueBytes(records)
  const expected = await flightSums(records)
  const into = places.flatMap((place) => [container(options, place, expected), trigger(options, place, expected)])
  const contenders = [counter(options, { records, bytes }), ...into]
  const costs = contenders.map((): { whole: Cost; idle: Cost }[] => [])
  const progress = new Progress('speed', contenders.length * rounds, 'runs')
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [i, { run }] of contenders.entries()) {
        costs[i]?.push(await run(round))
        progress.advance(1)
      }
    }
  } finally {
    progress.stop()
  }
  return contenders.map(({ name }, i) => speedOf(name, costs[i] ?? [], records, bytes))
}

function speedOf(name: string, costs: readonly { whole: Cost; idle: Cost }[], records: number, bytes: number): Speed {
  const startSeconds = median(costs.map(({ idle }) => idle.cpuSeconds))
  const rounds = costs.map(({ whole }) => ((whole.cpuSeconds - startSeconds) / records) * 1e6)
  const cpuSeconds = median(rounds)
  const recordsPerSecond = 1e6 / cpuSeconds
  const bytesPerSecond = (recordsPerSecond * bytes) / records
  const peakBytes = median(costs.map(({ whole }) => whole.peakBytes))
  return { name, startSeconds, cpuSeconds, rounds, recordsPerSecond, bytesPerSecond, peakBytes }
}

function counter({ broker }: SpeedOptions, expected: Counted): Contender {
  const count = async (topic: string, what: Counted): Promise<Cost> => {
    const measured = new MeasuredProcess('test/bench/stream-counter.ts', [broker.brokers, topic], {})
    const cost = await measured.end()
    requireEqual(JSON.parse(measured.running.said), what, `the counter of ${topic}`)
    return cost
  }
  return {
    name: 'only counts',
    run: async () => ({ whole: await count(TOPIC, expected), idle: await count(EMPTY, { records: 0, bytes: 0 }) }),
  }
}

function container(options: SpeedOptions, place: Place, expected: object): Contender {
  const argv = (lake: string): string[] => [
    'consume',
    'flights',
    '--kafka',
    options.broker.brokers,
    '--lake',
    lake,
    '--catalog',
    'directory',
    '--until-end',
    '--json',
    '--scratch',
    path.join(options.directory, 'scratch'),
  ]
  return intoLake(`container, ${place.name}`, place, expected, argv)
}

function trigger({ broker }: SpeedOptions, place: Place, expected: object): Contender {
  const argv = (lake: string): string[] => [
    'run',
    'flights',
    '--kafka',
    broker.brokers,
    '--lake',
    lake,
    '--catalog',
    'directory',
    '--json',
  ]
  return intoLake(`trigger, ${place.name}`, place, expected, argv)
}

/** Each round has a lake and a group of its own; what the table's snapshot shows at the end must be what was produced. */
function intoLake(name: string, place: Place, expected: object, argvOf: (lake: string) => string[]): Contender {
  return {
    name,
    async run(round) {
      const unique = `${name.replace(', ', '-')}-${round}`
      const argv = [...argvOf(place.lake(unique)), '--group', unique]
      const run = (): Promise<Cost> => new MeasuredProcess('shared/cli/inlet.ts', argv, place.environment).end()
      const [whole, idle] = [await run(), await run()]
      requireEqual(await lakeSums(place.open(place.lake(unique))), expected, name)
      return { whole, idle }
    },
  }
}

async function valueBytes(records: number): Promise<number> {
  const values = await flightValues()
  let sum = 0
  for (let i = 0; i < records; i++) sum += values[i % values.length]?.length ?? 0
  return sum
}

function requireEqual(found: unknown, expected: object, name: string): void {
  if (!isDeepStrictEqual(found, expected))
    throw new Error(`${name}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
