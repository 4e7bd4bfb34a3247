import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { TableLock } from '#shared/pipeline/table-lock.ts'
import { commitTable, type CommitterSurroundings, type TableCommit } from './committer.ts'
import { applyTable } from './lake-tables.ts'
import type { TableOwner } from './table-marks.ts'

/** A table of a pipeline in a catalog: that of its rows, or that of its dead letters. */
export interface PipelineTable {
  readonly owner: TableOwner
  readonly lock: TableLock
}

/** The tables that a pipeline has in a catalog; none when its layout is plain files. */
export function pipelineTables(pipeline: Pipeline): readonly PipelineTable[] {
  const { name, generation, table } = pipeline
  if (table.layout === 'files') return []
  return [table, deadLetterTable(pipeline)].map(({ name: of, lock }) => {
    if (lock === null) throw new InletError('UNEXPECTED', `table ${of} has no lock`)
    return { owner: { pipeline: name, generation, table: of }, lock }
  })
}

/** Makes the tables of a pipeline, or changes them to what it declares. See `applyTable`. */
export async function applyTables(surroundings: CommitterSurroundings, pipeline: Pipeline): Promise<void> {
  for (const { owner, lock } of pipelineTables(pipeline)) await applyTable(surroundings, owner, lock)
}

export interface CommitTablesOptions {
  /** Aborted when no further run shall begin; what is left is for the next time. */
  readonly signal?: AbortSignal
  /** Hears of each run of the committer. */
  readonly onCommit?: (commit: TableCommit) => void
}

/** Runs the committer for the tables of a pipeline until each has taken what the log holds. See `commitTable`. */
export async function commitTables(
  surroundings: CommitterSurroundings,
  pipeline: Pipeline,
  { signal, onCommit }: CommitTablesOptions = {},
): Promise<void> {
  for (const { owner } of pipelineTables(pipeline)) {
    for (;;) {
      if (signal?.aborted === true) return
      const commit = await commitTable(surroundings, owner)
      onCommit?.(commit)
      if (!commit.isMore) break
    }
  }
}
