import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { type PipelineTable, pipelineTables } from '#shared/lake/pipeline-tables.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { UsageError } from './failure.ts'
import { loadPipeline } from './pipelines.ts'

/** Where a pipeline's tables are. */
export interface TablePlace {
  readonly lake: string
  readonly catalog: string
}

export interface OpenedTables {
  readonly pipeline: Pipeline
  readonly surroundings: CommitterSurroundings
  /** That of the rows, then that of the dead letters. */
  readonly tables: readonly [rows: PipelineTable, deadLetters: PipelineTable]
}

/** @throws UsageError when there is no such pipeline, or it writes plain files */
export async function openTables(nameOrFile: string, { lake, catalog }: TablePlace): Promise<OpenedTables> {
  const pipeline = await loadPipeline(nameOrFile)
  const [rows, deadLetters] = pipelineTables(pipeline)
  if (rows === undefined || deadLetters === undefined)
    throw new UsageError(
      `pipeline ${pipeline.name} writes plain files (lake.layout "files"): no catalog has its tables`,
    )
  const store = openLake(lake)
  const surroundings = { store, tables: openCatalog(catalog, store), now: Date.now }
  return { pipeline, surroundings, tables: [rows, deadLetters] }
}
