import process from 'node:process'
import { catalogOf, readConfig } from '#shared/config.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { commitTables } from '#shared/lake/pipeline-tables.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deployedIn, type PipelineHandler, pipelineHandler } from './lambda.ts'

/**
 * The Lambda handler of a pipeline that declares `lake: { commit: 'immediate' }`: as `lambdaHandler`, and what has landed enters
 * the pipeline's tables after each batch. It is apart so that no other function carries the catalogs' clients and
 * the writer of snapshots.
 */
export function immediateHandler(pipeline: Pipeline): PipelineHandler {
  return pipelineHandler(pipeline, () => {
    const config = readConfig(process.env)
    const { store, ...surroundings } = deployedIn(config, pipeline)
    const tables = { store, tables: openCatalog(catalogOf(config), store), now: Date.now }
    return { ...surroundings, commitTables: (signal) => commitTables(tables, pipeline, { signal }) }
  })
}
