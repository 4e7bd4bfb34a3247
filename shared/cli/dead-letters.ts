import type { ObjectStore } from '#shared/lake/object-store.ts'
import { type DeadLetterFiles, deadLetterFiles } from './dead-letter-files.ts'
import { type DeadLetterFilter, inDeadLetters } from './dead-letter-tables.ts'
import { type Resolution, resolutionsOf } from './dead-letter-resolutions.ts'
import { FILE_COLUMN, type LakeDatabase } from './lake-database.ts'
import { textOf } from './printable.ts'
import { RESOLVED_COLUMN } from './resolved-column.ts'
import { literal } from './sql-text.ts'

/** Dead letters of one table that were refused at the same stage, with the same code, for the same field. */
export interface DeadLetterGroup {
  readonly table: string
  readonly stage: string
  readonly code: string
  readonly field: string | null
  /** How many are open: nothing else has been said of their records. */
  readonly open: number
  readonly resolved: number
  /** Kafka's timestamps, in milliseconds, of those that are open; of all when none is. */
  readonly first: number
  readonly last: number
  /** The position and the message of the newest of them. */
  readonly example: { readonly position: string; readonly message: string }
}

/** Bytes of a record, as base64 and, when they are UTF-8, as text. */
export interface Bytes {
  readonly base64: string
  readonly text: string | null
}

export interface DeadLetter {
  readonly table: string
  /** The data file that holds it. */
  readonly file: string
  readonly pipeline: string
  readonly pipelineVersion: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Kafka's timestamp in milliseconds. */
  readonly timestamp: number
  readonly stage: string
  readonly code: string
  readonly field: string | null
  readonly message: string
  /** What has been said of the record since; null while it is open. */
  readonly resolved: Resolution | null
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers: readonly { readonly name: string; readonly value: Bytes }[]
}

/** Dead letters by table, stage, code and field; within a table those that most are open of come first. */
export async function deadLetterGroups(store: ObjectStore, table?: string): Promise<DeadLetterGroup[]> {
  return inDeadLetters(store, await deadLetterFiles(store), { table, all: true }, async ({ query }, tables) => {
    const groups: DeadLetterGroup[] = []
    for (const { name, rows } of tables) {
      const answer = await query(`
        SELECT stage, code, field, open, resolved, epoch_ms(first)::DOUBLE, epoch_ms(last)::DOUBLE, position, newest
        FROM (
          SELECT stage, code, field,
            count(*) FILTER (NOT ${RESOLVED_COLUMN})::INT AS open, count(*) FILTER (${RESOLVED_COLUMN})::INT AS resolved,
            coalesce(min(_timestamp) FILTER (NOT ${RESOLVED_COLUMN}), min(_timestamp)) AS first,
            coalesce(max(_timestamp) FILTER (NOT ${RESOLVED_COLUMN}), max(_timestamp)) AS last,
            arg_max(topic || '-' || _kafka_partition || '@' || _offset, (NOT ${RESOLVED_COLUMN}, _timestamp, _offset)) AS position,
            arg_max(message, (NOT ${RESOLVED_COLUMN}, _timestamp, _offset)) AS newest
          FROM (${rows}) GROUP BY stage, code, field
        ) ORDER BY open DESC, resolved DESC, stage, code, field`)
      for (const [stage, code, field, open, resolved, first, last, position, message] of answer.rows) {
        const group = { table: name, stage, code, field, open, resolved, first, last, example: { position, message } }
        groups.push(group as DeadLetterGroup)
      }
    }
    return groups
  })
}

/** Dead letters, the newest first, and how many there are in all. */
export async function deadLetters(
  store: ObjectStore,
  filter: DeadLetterFilter,
  limit: number,
): Promise<{ readonly total: number; readonly deadLetters: readonly DeadLetter[] }> {
  const files = await deadLetterFiles(store)
  const found = await inDeadLetters(store, files, filter, async ({ query, keyOf }, tables) => {
    if (tables.length === 0) return { total: 0, rows: [] }
    const every = tables.map(({ name, rows }) => `SELECT *, ${literal(name)} AS "table" FROM (${rows})`)
    const all = every.join(' UNION ALL BY NAME ')
    const counted = await query(`SELECT count(*)::INT FROM (${all})`)
    const answer = await query(`
      SELECT "table", ${FILE_COLUMN}, pipeline, pipeline_version, topic, _kafka_partition, _offset::DOUBLE,
        epoch_ms(_timestamp)::DOUBLE, stage, code, field, message, base64(key), base64(value),
        list_transform(headers, lambda header: [header.name, base64(header.value)])
      FROM (${all}) ORDER BY _timestamp DESC, topic, _kafka_partition, _offset DESC, ${RESOLVED_COLUMN}, ${FILE_COLUMN} LIMIT ${limit}`)
    return { total: Number(counted.rows[0]?.[0]), rows: answer.rows.map((row) => deadLetterOf(row, keyOf)) }
  })
  return { total: found.total, deadLetters: await withResolutions(store, files, newestVerdictFirst(found.rows, files)) }
}

/** Several dead letters of one record in the order of its history, the newest first: their times are all the record's. */
function newestVerdictFirst(letters: readonly Unresolved[], { tables }: DeadLetterFiles): Unresolved[] {
  const rank = new Map([...tables.values()].flat().map(({ path }, i) => [path, i]))
  const records = Map.groupBy(letters, ({ pipeline, topic, partition, offset, timestamp }) =>
    JSON.stringify([pipeline, topic, partition, offset, timestamp]),
  )
  return [...records.values()].flatMap((of) => of.sort((a, b) => (rank.get(b.file) ?? 0) - (rank.get(a.file) ?? 0)))
}

type Unresolved = Omit<DeadLetter, 'resolved'>

async function withResolutions(
  store: ObjectStore,
  { resolved }: DeadLetterFiles,
  letters: readonly Unresolved[],
): Promise<DeadLetter[]> {
  const resolutions = await resolutionsOf(store, resolved, letters)
  return letters.map((letter, i) => ({ ...letter, resolved: resolutions[i] ?? null }))
}

type DeadLetterRow = readonly [
  ...[table: string, file: string, pipeline: string, version: string, topic: string, partition: number, offset: number],
  ...[timestamp: number, stage: string, code: string, field: string | null, message: string],
  ...[key: string | null, value: string | null, headers: readonly (readonly [name: string, value: string])[]],
]

function deadLetterOf(row: readonly unknown[], keyOf: LakeDatabase['keyOf']): Unresolved {
  const [table, file, pipeline, pipelineVersion, topic, partition, offset, timestamp, ...rest] = row as DeadLetterRow
  const [stage, code, field, message, key, value, headers] = rest
  return {
    table,
    file: keyOf(file),
    pipeline,
    pipelineVersion,
    topic,
    partition,
    offset,
    timestamp,
    stage,
    code,
    field,
    message,
    key: key === null ? null : bytesOf(key),
    value: value === null ? null : bytesOf(value),
    headers: headers.map(([name, header]) => ({ name, value: bytesOf(header) })),
  }
}

function bytesOf(base64: string): Bytes {
  return { base64, text: textOf(Buffer.from(base64, 'base64')) ?? null }
}
