import { isSeal, lastOffsetOf, type LogEntry } from '#shared/lake/log-entry.ts'
import { amendmentKey, commitKey, type LogId, MAX_OFFSET } from '#shared/lake/log-keys.ts'
import { type LogStore, logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { inRanges } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { positionOf } from '#shared/pipeline/record.ts'
import { type ColumnsOf, FILE_COLUMN, type LakeDatabase, withLakeDatabase } from './lake-database.ts'
import { requireLake } from './missing-lake.ts'
import { quoted } from './sql-text.ts'

export type Verdict = 'row' | 'dead letter' | 'skipped'

/** A row of a table, and the data file that holds it. */
export interface FoundRow {
  readonly table: string
  readonly file: string
  readonly row: Readonly<Record<string, unknown>>
}

/** What one commit or amendment says of a record. */
export interface Judgement {
  readonly verdict: Verdict
  readonly by: LogEntry['kind']
  /** The key of the commit or amendment. */
  readonly entry: string
  /** Its first and its last offset. */
  readonly start: number
  readonly end: number
  /** The rows that the record became, or its one dead letter. */
  readonly rows: readonly FoundRow[]
}

/** What became of a record, as one log tells it. */
export interface Whereabouts {
  readonly log: Omit<LogId, 'topic' | 'partition'>
  /**
   * The last verdict; `gap`: within a commit, but no delivery has brought it; `not landed yet`: behind the newest commit;
   * `epoch ended`: behind the last commit of a log that is sealed.
   */
  readonly status: Verdict | 'gap' | 'not landed yet' | 'epoch ended'
  /** The commit whose range the record lies in; null when it has not landed yet. */
  readonly commit: { readonly key: string; readonly start: number; readonly end: number } | null
  /** The last offset that the log reaches to. */
  readonly newestOffset: number
  /** The oldest first; more than one when an amendment superseded what was said before. */
  readonly history: readonly Judgement[]
}

/** A record's place in Kafka, and the pipeline whose logs are asked; every pipeline's when it is left out. */
export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly pipeline?: string | undefined
}

/**
 * What became of a record, in every log of its topic and partition.
 * @throws InletError LOG_CORRUPT when there is no lake, no such log, or when log and data files contradict each other
 */
export async function whereIs(store: ObjectStore, position: Position, columnsOf?: ColumnsOf): Promise<Whereabouts[]> {
  const found: Whereabouts[] = []
  const others = new Set<string>()
  for await (const { id, log } of logsOf(store)) {
    const isMeant =
      id.topic === position.topic &&
      id.partition === position.partition &&
      (position.pipeline ?? id.pipeline) === id.pipeline
    if (isMeant) found.push(await whereInLog(store, id, log, position.offset, columnsOf))
    else others.add(`${id.topic}-${id.partition} (${id.pipeline})`)
  }
  if (found.length > 0) return found
  await requireLake(store)
  const [topic, by] = [`${position.topic}-${position.partition}`, position.pipeline]
  throw new InletError(
    'LOG_CORRUPT',
    `no log of the lake holds ${topic}${by === undefined ? '' : ` by ${by}`}; there are ${listed([...others].sort())}`,
  )
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ')
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown
}

async function whereInLog(
  store: ObjectStore,
  { topic, partition, ...of }: LogId,
  log: LogStore,
  offset: number,
  columnsOf: ColumnsOf | undefined,
): Promise<Whereabouts> {
  const [commit, newest] = [await log.floor(offset), await log.floor(MAX_OFFSET)]
  const newestOffset = newest === undefined ? -1 : lastOffsetOf(newest)
  if (commit === undefined || offset > commit.end) {
    if (offset <= newestOffset)
      throw new InletError(
        'LOG_CORRUPT',
        `${log.prefix}: no commit covers offset ${offset}, but there is one behind it; "verify" says what else is wrong`,
      )
    return { log: of, status: 'not landed yet', commit: null, newestOffset, history: [] }
  }
  const entries = [commit, ...(await log.amendmentsOf(commit.start))]
  const history: Judgement[] = []
  for (const entry of entries.filter(({ covered }) => inRanges(offset, covered)))
    history.push(await judgementOf(store, log, entry, { topic, partition, offset }, columnsOf))
  const { start, end } = commit
  const status = history.at(-1)?.verdict ?? (isSeal(commit) ? 'epoch ended' : 'gap')
  return { log: of, status, commit: { key: commitKey(log.prefix, start), start, end }, newestOffset, history }
}

async function judgementOf(
  store: ObjectStore,
  log: LogStore,
  entry: LogEntry,
  position: Position,
  columnsOf: ColumnsOf | undefined,
): Promise<Judgement> {
  const { kind, start, end, amends, number, counts } = entry
  const key = amends === null ? commitKey(log.prefix, start) : amendmentKey(log.prefix, amends, number)
  const rows = await rowsOf(store, entry, position, columnsOf)
  const isRejected = inRanges(position.offset, entry.rejected)
  const verdict = isRejected ? 'dead letter' : rows.length > 0 ? 'row' : 'skipped'
  // What the log counts must be in the files that it names.
  if ((isRejected && rows.length !== 1) || (verdict === 'skipped' && counts.skipped === 0))
    throw new InletError(
      'LOG_CORRUPT',
      `${key} says that ${positionOf(position)} ${isRejected ? 'is a dead letter' : 'is a row'}, but its files hold ${rows.length} of it`,
    )
  return { verdict, by: kind, entry: key, start, end, rows }
}

/** The rows of one record in the files that an entry names, and no other. */
async function rowsOf(
  store: ObjectStore,
  { files }: LogEntry,
  { partition, offset }: Position,
  columnsOf: ColumnsOf | undefined,
): Promise<FoundRow[]> {
  const tables = [...Map.groupBy(files, (file) => file.table)].map(([name, of]) => ({
    name,
    files: of,
    withFile: true,
  }))
  if (tables.length === 0) return []
  const search = async ({ query, keyOf }: LakeDatabase): Promise<FoundRow[]> => {
    const found: FoundRow[] = []
    for (const { name } of tables) {
      const { columns, rows } = await query(
        `SELECT * FROM ${quoted(name)} WHERE _kafka_partition = ${partition} AND _offset = ${offset} ORDER BY _index`,
      )
      for (const values of rows) {
        const { [FILE_COLUMN]: file, ...row } = Object.fromEntries(columns.map((column, i) => [column, values[i]]))
        found.push({ table: name, file: keyOf(String(file)), row })
      }
    }
    return found
  }
  return withLakeDatabase(store, tables, search, columnsOf)
}
