/**
 * What a compaction is good for: a month of flights in more than 2,000 small files, asked before and after infra/jobs/compact.py has
 * compacted it. Files read are those that Spark's plan says; DuckDB's time is that of `inlet query`, whole.
 */
import path from 'node:path'
import process from 'node:process'
import { loadPipeline } from '#shared/cli/pipelines.ts'
import { formatCount } from '#shared/cli/progress.ts'
import { runPipeline } from '#shared/cli/run.ts'
import { RestCatalog } from '#shared/cli/spark/rest-catalog.ts'
import { SparkHost } from '#shared/cli/spark/spark-host.ts'
import { answerSql } from '#shared/cli/sql.ts'
import { textTable } from '#shared/cli/text-table.ts'
import { verifyWithProgress } from '#shared/cli/verification.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { Spark, sparkHere } from '#test/helpers/spark.ts'

const EVENTS = 'events/flights/2013-01.ndjson.gz'
/** Records of an invocation: so few that there are more files than that. */
const BATCH = 24
const LEAST_FILES = 2000
const ASKED = 3
const QUESTIONS = {
  'delays of each airline': 'SELECT carrier, avg(departureDelayMinutes), count(*) FROM $ GROUP BY carrier',
  'departures of one day':
    "SELECT origin, count(*) FROM $ WHERE scheduledAt >= TIMESTAMP '2013-01-10 00:00:00' AND scheduledAt < TIMESTAMP '2013-01-11 00:00:00' GROUP BY origin",
} as const
type Question = keyof typeof QUESTIONS
const NAMES = Object.keys(QUESTIONS) as Question[]

/** Milliseconds, medians. */
interface Measured {
  readonly files: number
  readonly spark: number
  readonly inlet: number
}

async function median(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < ASKED; i++) {
    const from = performance.now()
    await ask()
    times.push(performance.now() - from)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(ASKED / 2)] as number
}

async function measure(spark: Spark, store: DirectoryStore): Promise<Map<Question, Measured>> {
  const found = new Map<Question, Measured>()
  for (const name of NAMES) {
    const sql = QUESTIONS[name]
    const asSpark = sql.replace('$', 'lake.flights_lake.tables.flights')
    const { files } = await spark.ask(asSpark)
    const inSpark = await median(() => spark.ask(asSpark))
    const inInlet = await median(() => answerSql(sql.replace('$', 'flights'), store))
    found.set(name, { files, spark: inSpark, inlet: inInlet })
  }
  return found
}

/** @returns seconds */
async function compact(store: DirectoryStore): Promise<number> {
  const catalog = await RestCatalog.start(openCatalog('directory', store), { now: Date.now })
  const host = await SparkHost.start(await sparkHere())
  try {
    const from = performance.now()
    const named = {
      run: 'bench',
      pipeline: 'flights',
      lake: store.url,
      catalog: `rest:${catalog.uri}`,
      table: 'flights',
    }
    const args = Object.entries(named).flatMap(([name, value]) => [`--${name}`, value])
    const { error, said } = await host.run(path.resolve('infra/jobs/compact.py'), args)
    if (error !== null) throw new Error(error)
    process.stdout.write(`${said}\n`)
    return (performance.now() - from) / 1000
  } finally {
    await host.stop()
    await catalog.stop()
  }
}

const spark = await Spark.start()
try {
  const lake = path.join(spark.warehouse, 'flights_lake')
  const pipeline = await loadPipeline('flights')
  const { files } = await runPipeline(pipeline, { events: [EVENTS], lake, partitions: 3, batch: BATCH })
  if (files < LEAST_FILES) throw new Error(`${files} files are too few`)
  const store = new DirectoryStore(lake)
  const before = await measure(spark, store)
  const seconds = await compact(store)
  const after = await measure(spark, store)
  const { faults } = await verifyWithProgress(lake, 'directory', true)
  if (faults.length > 0) throw new Error(`the lake has ${faults.length} faults`)
  const row = (name: Question, when: string, of: Map<Question, Measured>): string[] => {
    const { files: read, spark: inSpark, inlet } = of.get(name) as Measured
    return [name, when, formatCount(read), formatCount(inSpark), formatCount(inlet)]
  }
  const rows = NAMES.flatMap((name) => [row(name, 'before', before), row(name, 'after', after)])
  process.stdout.write(`${textTable(['question', '', 'files read', 'Spark (ms)', 'inlet query (ms)'], rows)}\n`)
  process.stdout.write(`${formatCount(files)} files compacted in ${seconds.toFixed(0)} s, Spark's start included\n`)
} finally {
  await spark.stop()
}
