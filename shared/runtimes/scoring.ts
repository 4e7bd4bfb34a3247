import process from 'node:process'
import { catalogOf, readConfig } from '#shared/config.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { commitTables } from '#shared/lake/pipeline-tables.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deployedIn, type PipelineHandler, pipelineHandler } from './lambda.ts'
import { sagemakerScorer } from './scorer.ts'

/**
 * The Lambda handler of a pipeline that declares `scores`: as `lambdaHandler`, and rows get them on their way. It is apart so that
 * no other function carries SageMaker's client. A pipeline that commits after each batch does so here too.
 */
export function scoringHandler(pipeline: Pipeline): PipelineHandler {
  return pipelineHandler(pipeline, () => {
    const config = readConfig(process.env)
    const { store, ...deployed } = deployedIn(config, pipeline)
    const scorer = sagemakerScorer(store, (report) => deployed.telemetry.scoring?.(report))
    const surroundings = { ...deployed, scorer }
    if (pipeline.commit === 'scheduled') return surroundings
    const tables = { store, tables: openCatalog(catalogOf(config), store), now: Date.now }
    return { ...surroundings, commitTables: (signal) => commitTables(tables, pipeline, { signal }) }
  })
}
