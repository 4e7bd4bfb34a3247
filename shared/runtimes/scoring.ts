import process from 'node:process'
import { type Config, readConfig } from '#shared/config.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { deployedIn, type PipelineHandler, pipelineHandler, requireScheduled, type Surroundings } from './lambda.ts'
import { sagemakerScorer } from './scorer.ts'

/**
 * The Lambda handler of a pipeline that declares `scores`: as `lambdaHandler`, and rows get them on their way. It is apart so that
 * no other function carries SageMaker's client. One that commits after each batch, too, has `immediateHandler(pipeline, scoringIn)`.
 */
export function scoringHandler(pipeline: Pipeline): PipelineHandler {
  requireScheduled(pipeline)
  return pipelineHandler(pipeline, () => scoringIn(readConfig(process.env), pipeline))
}

/** What a deployed function works with whose pipeline has scores. */
export function scoringIn(config: Config, pipeline: Pipeline): Surroundings & { readonly store: ObjectStore } {
  const deployed = deployedIn(config, pipeline)
  const scorer = sagemakerScorer(deployed.store, (report) => deployed.telemetry.scoring?.(report))
  return { ...deployed, scorer }
}
