import type { ObjectStore } from '#shared/lake/object-store.ts'
import { type DeadLetterFiles, deadLetterFiles, deadLetterTableName } from './dead-letter-files.ts'
import { UsageError } from './failure.ts'
import { FILE_COLUMN, type LakeDatabase, withLakeDatabase } from './lake-database.ts'
import { requireLake } from './missing-lake.ts'
import { textOf } from './printable.ts'
import { literal, quoted } from './sql-text.ts'

/** Dead letters of one table that were refused at the same stage, with the same code, for the same field. */
export interface DeadLetterGroup {
  readonly table: string
  readonly stage: string
  readonly code: string
  readonly field: string | null
  readonly count: number
  /** Kafka's timestamps, in milliseconds. */
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
  /** Whether an amendment has said something else of the record since. */
  readonly settled: boolean
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers: readonly { readonly name: string; readonly value: Bytes }[]
}

/** Which dead letters are meant; each one that is left out means any. */
export interface DeadLetterFilter {
  /** The dead-letter table, or the table that it belongs to. */
  readonly table?: string
  readonly code?: string
  readonly field?: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  /** Those too that an amendment has settled since. */
  readonly all?: boolean
}

/** Dead letters by table, stage, code and field; the most frequent first within a table. */
export async function deadLetterGroups(store: ObjectStore, filter: DeadLetterFilter): Promise<DeadLetterGroup[]> {
  return inDeadLetters(store, filter, async ({ query }, tables) => {
    const groups: DeadLetterGroup[] = []
    for (const { name, rows } of tables) {
      const answer = await query(`
        SELECT stage, code, field, count(*)::INT, epoch_ms(min(_timestamp))::DOUBLE, epoch_ms(max(_timestamp))::DOUBLE,
          arg_max(topic || '-' || _partition || '@' || _offset, (_timestamp, _offset)),
          arg_max(message, (_timestamp, _offset))
        FROM (${rows}) GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3`)
      for (const [stage, code, field, count, first, last, position, message] of answer.rows)
        groups.push({ table: name, stage, code, field, count, first, last, example: { position, message } } as never)
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
  return inDeadLetters(store, filter, async ({ query, keyOf }, tables) => {
    if (tables.length === 0) return { total: 0, deadLetters: [] }
    const every = tables.map(({ name, rows }) => `SELECT *, ${literal(name)} AS "table" FROM (${rows})`)
    const all = every.join(' UNION ALL BY NAME ')
    const counted = await query(`SELECT count(*)::INT FROM (${all})`)
    const answer = await query(`
      SELECT "table", ${FILE_COLUMN}, pipeline, pipeline_version, topic, _partition, _offset::DOUBLE,
        epoch_ms(_timestamp)::DOUBLE, stage, code, field, message, settled, base64(key), base64(value),
        list_transform(headers, lambda header: [header.name, base64(header.value)])
      FROM (${all}) ORDER BY _timestamp DESC, topic, _partition, _offset DESC LIMIT ${limit}`)
    return { total: Number(counted.rows[0]?.[0]), deadLetters: answer.rows.map((row) => deadLetterOf(row, keyOf)) }
  })
}

type DeadLetterRow = readonly [
  ...[table: string, file: string, pipeline: string, version: string, topic: string, partition: number, offset: number],
  ...[timestamp: number, stage: string, code: string, field: string | null, message: string, settled: boolean],
  ...[key: string | null, value: string | null, headers: readonly (readonly [name: string, value: string])[]],
]

function deadLetterOf(row: readonly unknown[], keyOf: LakeDatabase['keyOf']): DeadLetter {
  const [table, file, pipeline, pipelineVersion, topic, partition, offset, timestamp, ...rest] = row as DeadLetterRow
  const [stage, code, field, message, settled, key, value, headers] = rest
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
    settled,
    key: key === null ? null : bytesOf(key),
    value: value === null ? null : bytesOf(value),
    headers: headers.map(([name, header]) => ({ name, value: bytesOf(header) })),
  }
}

function bytesOf(base64: string): Bytes {
  return { base64, text: textOf(Buffer.from(base64, 'base64')) ?? null }
}

/** A dead-letter table, and SQL for those of its rows that are meant. */
interface FilteredTable {
  readonly name: string
  readonly rows: string
}

async function inDeadLetters<T>(
  store: ObjectStore,
  filter: DeadLetterFilter,
  work: (database: LakeDatabase, tables: readonly FilteredTable[]) => Promise<T>,
): Promise<T> {
  const found = await deadLetterFiles(store)
  if (found.tables.size === 0) await requireLake(store)
  const tables = meantTables(found, filter.table)
  const views = tables.map((name) => ({ name, files: found.tables.get(name) ?? [], withFile: true }))
  return withLakeDatabase(store, views, (database) =>
    work(
      database,
      tables.map((name) => ({ name, rows: rowsOf(name, found, filter, database.pathOf) })),
    ),
  )
}

function meantTables({ tables }: DeadLetterFiles, table: string | undefined): readonly string[] {
  const names = [...tables.keys()].sort()
  if (table === undefined) return names
  const name = deadLetterTableName(table)
  if (tables.has(name)) return [name]
  const known = names.length === 0 ? 'no table has any' : `those are in ${names.join(', ')}`
  throw new UsageError(`there are no dead letters in ${name}; ${known}`)
}

function rowsOf(
  table: string,
  { tables, settled }: DeadLetterFiles,
  filter: DeadLetterFilter,
  pathOf: LakeDatabase['pathOf'],
): string {
  const files = new Set(tables.get(table)?.map((file) => file.path))
  const ranges = settled
    .filter(({ file }) => files.has(file))
    .map(({ file, offsets: [first, last] }) => `(${literal(pathOf(file))}, ${first}, ${last})`)
  const isSettled =
    ranges.length === 0
      ? 'false'
      : `EXISTS (FROM (VALUES ${ranges.join(', ')}) AS range(file, first, last)
          WHERE file = ${FILE_COLUMN} AND _offset BETWEEN first AND last)`
  const conditions = [
    ...(filter.all === true ? [] : ['NOT settled']),
    ...(['code', 'field', 'topic'] as const).flatMap((column) => {
      const wanted = filter[column]
      return wanted === undefined ? [] : [`${column} = ${literal(wanted)}`]
    }),
    ...(filter.partition === undefined ? [] : [`_partition = ${filter.partition}`]),
    ...(filter.offset === undefined ? [] : [`_offset = ${filter.offset}`]),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return `FROM (SELECT *, ${isSettled} AS settled FROM ${quoted(table)})${where}`
}
