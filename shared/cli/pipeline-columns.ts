import type { Column } from '#shared/pipeline/columns.ts'
import { loadPipeline, pipelineFiles } from './pipelines.ts'

/** What this project's pipelines say of a table's columns; undefined when none of them writes it. */
export async function columnsOfPipelines(table: string): Promise<readonly Column[] | undefined> {
  for (const name of pipelineFiles().keys()) {
    // What is wrong with another pipeline is no concern of who reads this table.
    const pipeline = await loadPipeline(name).catch(() => undefined)
    if (pipeline?.table.name === table) return pipeline.table.columns
  }
  return undefined
}
