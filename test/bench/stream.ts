/**
 * The whole way, from Kafka through contracts and Parquet into a snapshot of an Iceberg table: what a million records take of a
 * core by the container and by the trigger, beside a consumer that only counts; and how long after it was produced a query
 * shows a record. Starts a broker and an S3 of its own.
 */
import os from 'node:os'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { formatBytes, formatCount } from '#shared/cli/progress.ts'
import { textTable } from '#shared/cli/text-table.ts'
import { KafkaBroker } from '#test/helpers/kafka-broker.ts'
import { inTemporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { type Freshness, measureFreshness } from './stream-freshness.ts'
import { placesIn } from './stream-places.ts'
import { measureSpeed, type Speed } from './stream-speed.ts'

const HELP = `Measures the way of a month of flights, over and over, from Kafka into Iceberg tables. Takes some minutes, and Java 17.

  npm run -s bench:stream -- [--records n] [--rounds n] [--rate n] [--seconds n] [--json]

  --records n  records of the topic, which each run lands (default: 1000000)
  --rounds n   runs of each contender, of which the median counts; 0: none (default: 3)
  --rate n     records a second while it is measured how fresh the table is (default: 1000)
  --seconds n  for how long, after a warm-up; 0: not at all (default: 60)
  --json       print the measurements as JSON

Example:
  npm run -s bench:stream -- --records 200000 --rounds 3 --seconds 30
`

/** What others take, measured once on a machine of two cores: a million flights from Kafka, the process as a whole. */
const REFERENCE = `For comparison, measured apart on a machine of two cores, CPU-s for a million records with the start:
Kafka Connect's Iceberg sink 28, Spark 27, Flink 32 (exactly once); Python with validation 10, without 3.9 (at least once).
Freshness of the Connect sink with commits of a second: p50 0.8 s, p95 1.4 s, with 0.6 of a core.`

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const load = (): number => os.loadavg()[0] ?? 0

function speedTable(speeds: readonly Speed[]): string {
  const base = speeds[0]?.cpuSeconds ?? Number.NaN
  const rows = speeds.map((one) => [
    one.name,
    one.cpuSeconds.toFixed(2),
    (one.cpuSeconds / base).toFixed(1),
    formatCount(one.recordsPerSecond),
    formatBytes(one.bytesPerSecond),
    one.startSeconds.toFixed(2),
    (one.cpuSeconds + one.startSeconds).toFixed(2),
    formatBytes(one.peakBytes),
  ])
  const perCore = ['records/s of a core', 'bytes/s of a core']
  const head = ['', 'CPU-s a million', 'ratio', ...perCore, 'start CPU-s', 'million and start', 'peak memory']
  return textTable(head, rows)
}

function freshnessTable(all: readonly Freshness[]): string {
  const rows = all.map(({ place, records, snapshots, cores, ...seconds }) => [
    place,
    ...[seconds.p50, seconds.p95, seconds.p99, seconds.most].map((each) => `${each.toFixed(2)} s`),
    formatCount(records),
    formatCount(snapshots),
    cores.toFixed(2),
  ])
  return textTable(['produced → query', 'p50', 'p95', 'p99', 'most', 'records', 'versions', 'cores'], rows)
}

async function measure(directory: string) {
  const [records, rate] = [wholeNumber('records', 1), wholeNumber('rate', 1)]
  const [rounds, seconds] = [wholeNumber('rounds', 0), wholeNumber('seconds', 0)]
  const before = load()
  const broker = await KafkaBroker.start()
  try {
    const places = await placesIn(directory)
    try {
      const common = { broker, directory }
      const speeds = rounds > 0 ? await measureSpeed({ ...common, places, records, rounds }) : []
      const freshness: Freshness[] = []
      for (const place of seconds > 0 ? places : [])
        freshness.push(await measureFreshness({ ...common, place, rate, seconds }))
      return { records, rounds, rate, seconds, node: process.version, load: [before, load()], speeds, freshness }
    } finally {
      for (const place of places) await place.close()
    }
  } finally {
    await broker.stop()
  }
}

/** @throws Error when an option is no such number */
function wholeNumber(name: 'records' | 'rounds' | 'rate' | 'seconds', least: number): number {
  const value = Number(options[name])
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new Error(`--${name}: expected a whole number from ${least}, found ${options[name]}`)
}

async function bench(): Promise<void> {
  const measured = await inTemporaryDirectory(measure)
  if (options.json) {
    process.stdout.write(`${JSON.stringify(measured)}\n`)
    return
  }
  const { records, rounds, rate, node, speeds, freshness } = measured
  const tables: string[] = []
  if (speeds.length > 0)
    tables.push(`${formatCount(records)} flights of 8 partitions, medians of ${rounds} rounds:\n${speedTable(speeds)}`)
  if (freshness.length > 0)
    tables.push(`${formatCount(rate)} records/s, slices of a second at the most:\n${freshnessTable(freshness)}`)
  const loads = measured.load.map((each) => each.toFixed(1)).join(' and ')
  const machine = `Load of the machine before and after: ${loads}; Node ${node}.`
  process.stdout.write(`${[...tables, machine, REFERENCE].join('\n\n')}\n`)
}

if (options.help) process.stdout.write(HELP)
else await bench()
