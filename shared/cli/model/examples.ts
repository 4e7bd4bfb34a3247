import type { ObjectStore } from '#shared/lake/object-store.ts'
import { SCORE_CODECS, type FeatureList } from '#shared/pipeline/score-codec.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { compileRecordPath } from '#shared/pipeline/record-path.ts'
import { readEventFile } from '#shared/runtimes/event-file.ts'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { recordsOf } from '#shared/sources/value-file.ts'
import { Progress } from '#shared/cli/progress.ts'
import { answerSql } from '#shared/cli/sql.ts'
import type { ModelDeclaration } from './declaration.ts'

/** What a model learns from, as CSV with a header. */
export interface Examples {
  readonly csv: string
  readonly rows: number
}

/** The rows of a table whose outcome is known: those without a value in one of the columns are left out. */
export async function examplesOfLake(
  pipeline: Pipeline,
  declaration: ModelDeclaration,
  store: ObjectStore,
  catalog: string,
): Promise<Examples> {
  const columns = columnsOf(declaration)
  const names = columns.map((name) => `"${name}"`)
  const known = names.map((name) => `${name} IS NOT NULL`).join(' AND ')
  const sql = `SELECT ${names.join(', ')} FROM ${pipeline.table.name} WHERE ${known}`
  const { rows } = await answerSql(sql, store, { catalog })
  return csvOf(columns, rows as readonly FeatureList[])
}

/** The same of events, which become rows as they do in the pipeline; what it refuses or skips is left out. */
export async function examplesOfEvents(
  pipeline: Pipeline,
  declaration: ModelDeclaration,
  files: readonly string[],
): Promise<Examples> {
  const columns = columnsOf(declaration)
  const rows: FeatureList[] = []
  const toOutcome = compileRecordPath(pipeline)
  for (const name of files) {
    const records = await recordsIn(name, pipeline.topic)
    const progress = new Progress(name, records.length, 'records')
    try {
      for (const record of records) {
        const outcome = toOutcome(record)
        if (outcome.kind === 'written')
          for (const { row } of outcome.rows) {
            const values = columns.map((column) => plain(row[column]))
            if (!values.includes(null)) rows.push(values)
          }
        progress.advance(1)
      }
    } finally {
      progress.stop()
    }
  }
  return csvOf(columns, rows)
}

function columnsOf({ features, target }: ModelDeclaration): string[] {
  return [...features, target]
}

async function recordsIn(name: string, topic: string): Promise<readonly KafkaRecord[]> {
  const file = await readEventFile(name, 1)
  if (file.kind === 'values') return recordsOf(file.values, topic, { partition: 0, from: 0, atMost: file.records })
  return file.events.flatMap((event) => parseMskEvent(event).partitions.flatMap(({ records }) => records))
}

/** A value of a row as CSV carries it. */
function plain(value: unknown): FeatureList[number] {
  if (value === undefined) return null
  return value instanceof Date ? value.toISOString() : (value as FeatureList[number])
}

/** In the very form that an endpoint is sent. */
function csvOf(columns: readonly string[], rows: readonly FeatureList[]): Examples {
  const line = (row: FeatureList): string => String(SCORE_CODECS['text/csv'].encodeRow(row as never))
  return { csv: `${[columns, ...rows].map(line).join('\n')}\n`, rows: rows.length }
}
