#!/usr/bin/env node
import path from 'node:path'
import process from 'node:process'
import { openStore } from '#shared/lake/open-store.ts'
import { describeFailure, exitCodeOf } from './failure.ts'
import { loadPipeline } from './pipelines.ts'
import { runPipeline, summaryTable } from './run.ts'
import { answerSql } from './sql.ts'
import { textTable } from './text-table.ts'

const EVENTS = 'events/flights/2013-01.ndjson.gz'
const LAKE = '.lake'
const QUESTION = 'Which airlines kept New York waiting longest in January 2013?'
const SQL = `SELECT carrier, count(*)::INT AS flights, count(*) FILTER (cancelled)::INT AS cancelled,
  round(avg(departureDelayMinutes), 1) AS "mean delay (minutes)"
FROM flights GROUP BY carrier HAVING flights >= 100 ORDER BY 4 DESC LIMIT 5`

/** The main job on real input: a month of flights through the Lambda handler into a lake, and a question to it. */
async function start(): Promise<void> {
  say(`A month of flights from New York (${EVENTS}) through the handler of functions/flights into the lake ${LAKE}/\n`)
  const pipeline = await loadPipeline('flights')
  const summary = await runPipeline(pipeline, { events: [EVENTS], lake: LAKE, partitions: 3, batch: 3000 })
  say(`\n${summaryTable(summary)}`)
  if (summary.known === summary.records) say('\nEvery record was in the lake already: nothing was added.')

  say(`\n${QUESTION}`)
  const { columns, rows } = await answerSql(SQL, openStore(LAKE))
  say(`\n${textTable(columns, rows)}`)
  say(`
What to type next:
  npm start                                                            again: nothing is added twice
  npm run -s inlet -- query "SELECT * FROM flights LIMIT 5" --lake ${LAKE}
  npm run -s inlet -- verify --deep --lake ${LAKE}                         the proof that all is there once
  npm run -s inlet -- table history flights --lake ${LAKE}                  the snapshots of its Iceberg table
  npm run -s inlet -- run flights --events events/flights/*.json --lake ${LAKE}
  npm run -s inlet -- query "SELECT stage, code, field, message FROM flights_dead_letters" --lake ${LAKE}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  process.chdir(path.join(import.meta.dirname, '../..'))
  await start()
} catch (error) {
  process.stderr.write(`npm start: ${describeFailure(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
