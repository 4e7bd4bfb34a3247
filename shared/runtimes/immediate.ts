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
 * @param surroundingsIn `scoringIn`, of scoring.ts, for a pipeline that declares `scores`
 */
export function immediateHandler(pipeline: Pipeline, surroundingsIn = deployedIn): PipelineHandler {
  if (pipeline.scores.length > 0 && surroundingsIn === deployedIn)
    throw new Error(
      `pipeline ${pipeline.name} has scores: its handler is immediateHandler(${pipeline.name}, scoringIn), of shared/runtimes/scoring.ts`,
    )
  return pipelineHandler(pipeline, () => {
    const config = readConfig(process.env)
    const { store, ...surroundings } = surroundingsIn(config, pipeline)
    const tables = { store, tables: openCatalog(catalogOf(config), store), now: Date.now }
    return { ...surroundings, commitTables: (signal) => commitTables(tables, pipeline, { signal }) }
  })
}
