#!/usr/bin/env node
import path from 'node:path'
import process from 'node:process'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { describeFailure, exitCodeOf, UsageError } from './failure.ts'
import { loadPipeline } from './pipelines.ts'
import { type RunSummary, runPipeline, summaryTable } from './run.ts'
import { answerSql } from './sql.ts'
import { startWithJobs } from './start-jobs.ts'
import { startOnKafka } from './start-kafka.ts'
import { untilStopped } from './stop-signal.ts'
import { textTable } from './text-table.ts'

const EVENTS = 'events/flights/2013-01.ndjson.gz'
const FILES_LAKE = '.lake'
/** A lake of its own, beside the cluster: the same flights of another source are other records. */
const KAFKA_LAKE = '.kafka/lake'
/** And one of many small files. */
const JOBS_LAKE = '.jobs/lake'
const QUESTION = 'Which airlines kept New York waiting longest in January 2013?'
const SQL = `SELECT carrier, count(*)::INT AS flights, count(*) FILTER (cancelled)::INT AS cancelled,
  round(avg(departureDelayMinutes), 1) AS "mean delay (minutes)"
FROM flights GROUP BY carrier HAVING flights >= 100 ORDER BY 4 DESC LIMIT 5`

const LAKES = { '': FILES_LAKE, '--kafka': KAFKA_LAKE, '--jobs': JOBS_LAKE } as const
const STARTS: Readonly<Record<keyof typeof LAKES, (pipeline: Pipeline, lake: string) => Promise<RunSummary>>> = {
  '': (pipeline, lake) => runPipeline(pipeline, { events: [EVENTS], lake, partitions: 3, batch: 3000 }),
  '--kafka': (pipeline, lake) => startOnKafka(pipeline, EVENTS, lake, untilStopped(), say),
  '--jobs': (pipeline, lake) =>
    startWithJobs(pipeline, { events: EVENTS, lake, sql: SQL, signal: untilStopped(), say }),
}

/** The main job on real input: a month of flights through the Lambda handler into a lake, and a question to it. */
async function start(way: '' | '--kafka' | '--jobs'): Promise<void> {
  const isOnKafka = way === '--kafka'
  const lake = LAKES[way]
  const through = isOnKafka
    ? 'through a Kafka of your own and the trigger of functions/flights'
    : 'through the handler of functions/flights'
  say(`A month of flights from New York (${EVENTS}) ${through} into the lake ${lake}/\n`)
  const pipeline = await loadPipeline('flights')
  const summary = await STARTS[way](pipeline, lake)
  say(`\n${summaryTable(summary)}`)
  if (summary.known === summary.records) say('\nEvery record was in the lake already: nothing was added.')

  say(`\n${QUESTION}`)
  const { columns, rows } = await answerSql(SQL, openStore(lake))
  say(`\n${textTable(columns, rows)}`)
  say(`
What to type next:
  npm start                                                            ${isOnKafka ? 'the same from the file, without Kafka' : 'again: nothing is added twice'}
  npm start -- --kafka                                                 ${isOnKafka ? 'again: nothing is added twice' : 'the same through a real Kafka, which it starts and stops'}
  npm start -- --jobs                                                  many small files, which Spark compacts when their day is complete
  npm run -s inlet -- query "SELECT * FROM flights LIMIT 5" --lake ${lake}
  npm run -s inlet -- verify --deep --lake ${lake}                         the proof that all is there once
  npm run -s inlet -- table history flights --lake ${lake}                  the snapshots of its Iceberg table
  npm run -s inlet -- run flights --events events/flights/*.json --lake ${lake}
  npm run -s inlet -- query "SELECT stage, code, field, message FROM flights_dead_letters" --lake ${lake}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  process.chdir(path.join(import.meta.dirname, '../..'))
  const [option = '', ...more] = process.argv.slice(2)
  if (!(option in LAKES) || more.length > 0)
    throw new UsageError(`unknown: ${[option, ...more].join(' ')}; there are --kafka and --jobs`)
  await start(option as keyof typeof LAKES)
} catch (error) {
  process.stderr.write(`npm start: ${describeFailure(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
