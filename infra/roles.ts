import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Resources } from './cloudformation.ts'
import { BROKERS_FUNCTION, TABLES_FUNCTION, TOPICS_FUNCTION } from './custom-resources-template.ts'
import { hasJobs, JOBS_FUNCTION, jobsRights } from './jobs.ts'
import { brokersRights, committerRights, pipelineRights, redriveRights, tablesRights, topicsRights } from './rights.ts'
import { failureRights, functionRole, roleId, type Statement } from './role.ts'
import { hasScores, RESCORE_FUNCTION, rescoreRights, scoringRights } from './scores.ts'
import { kafkaNetwork, type StageSettings } from './stage.ts'

/** A role for each function of the stage. */
export function roles(settings: StageSettings, pipelines: readonly Pipeline[]): Resources {
  const rights = new Map<string, readonly Statement[]>([
    ...pipelines.map(
      (pipeline) => [pipeline.name, [...pipelineRights(settings, pipeline), ...scoringRights([pipeline])]] as const,
    ),
    ['committer', [...committerRights(pipelines), failureRights()]],
    ['redrive', [...redriveRights(pipelines), failureRights()]],
    [TABLES_FUNCTION, [...tablesRights(), failureRights()]],
  ])
  if (hasJobs(pipelines)) rights.set(JOBS_FUNCTION, [...jobsRights(pipelines), failureRights()])
  if (hasScores(pipelines)) rights.set(RESCORE_FUNCTION, [...rescoreRights(pipelines), failureRights()])
  if (kafkaNetwork(settings) !== null) {
    rights.set(BROKERS_FUNCTION, [...brokersRights(settings), failureRights()])
    rights.set(TOPICS_FUNCTION, [...topicsRights(settings, pipelines), failureRights()])
  }
  return Object.fromEntries([...rights].map(([name, statements]) => [roleId(name), functionRole(name, statements)]))
}
