import type { DuckDBConnection } from '@duckdb/node-api'
import type { OffsetRange } from '#shared/pipeline/commit.ts'
import type { OffsetVerdict } from './dead-letter-verdicts.ts'
import { literal } from './sql-text.ts'

/** Whether something else has been said of a dead letter's record since: the column that its table has in SQL. */
export const RESOLVED_COLUMN = '_resolved'

/** Offsets of a data file whose dead letters are resolved. */
export interface ResolvedRange {
  readonly file: string
  readonly offsets: OffsetRange
}

/** In a schema of their own, so that they are none of the lake's tables. */
const RANGES = 'inlet.resolved'
const VERDICTS = 'inlet.verdicts'
const REWRITTEN = 'inlet.rewritten'

/** Makes what `resolvedSql` looks into: a table, for as text in every query ten thousand ranges would take a second. */
export async function addResolvedRanges(
  connection: DuckDBConnection,
  ranges: readonly ResolvedRange[],
  pathOf: (key: string) => string,
): Promise<void> {
  await connection.run(`CREATE TABLE ${RANGES} (file VARCHAR, first BIGINT, last BIGINT)`)
  const appender = await connection.createAppender('resolved', 'inlet')
  for (const { file, offsets } of ranges) {
    appender.appendVarchar(pathOf(file))
    for (const offset of offsets) appender.appendBigInt(BigInt(offset))
    appender.endRow()
  }
  appender.closeSync()
}

/** Makes what `resolvedSql` looks into for files that the log does not name. @param files their places */
export async function addVerdicts(
  connection: DuckDBConnection,
  verdicts: readonly OffsetVerdict[],
  files: readonly string[],
): Promise<void> {
  await connection.run(`CREATE TABLE ${REWRITTEN} (rewritten VARCHAR);
    CREATE TABLE ${VERDICTS} (of VARCHAR, in_topic VARCHAR, in_epoch INT, in_partition INT, first BIGINT, last BIGINT, is_open BOOLEAN)`)
  const names = await connection.createAppender('rewritten', 'inlet')
  for (const file of files) {
    names.appendVarchar(file)
    names.endRow()
  }
  names.closeSync()
  const appender = await connection.createAppender('verdicts', 'inlet')
  for (const { table, topic, epoch, partition, offsets, isOpen } of verdicts) {
    appender.appendVarchar(table)
    appender.appendVarchar(topic)
    appender.appendInteger(epoch)
    appender.appendInteger(partition)
    for (const offset of offsets) appender.appendBigInt(BigInt(offset))
    appender.appendBoolean(isOpen)
    appender.endRow()
  }
  appender.closeSync()
}

/**
 * SQL for the column.
 * @param file SQL for the place of the row's file
 * @param hasRewritten whether the table has files that the log does not name
 */
export function resolvedSql(table: string, file: string, hasRewritten: boolean): string {
  const named = `EXISTS (FROM ${RANGES} WHERE file = ${file} AND _offset BETWEEN first AND last)`
  if (!hasRewritten) return `${named} AS ${RESOLVED_COLUMN}`
  const said = (isOpen: boolean): string =>
    `EXISTS (FROM ${VERDICTS} WHERE of = ${literal(table)} AND in_topic = topic AND in_epoch = _epoch
      AND in_partition = _kafka_partition AND _offset BETWEEN first AND last AND is_open = ${isOpen})`
  const rewritten = `EXISTS (FROM ${REWRITTEN} WHERE rewritten = ${file})`
  return `CASE WHEN ${rewritten} THEN ${said(false)} AND NOT ${said(true)} ELSE ${named} END AS ${RESOLVED_COLUMN}`
}
