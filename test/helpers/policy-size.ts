import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Resources } from '../../infra/cloudformation.ts'

/** IAM's limit of the policies that stand in a role ("IAM and AWS STS quotas"). */
export const POLICY_CHARACTERS = 10_240
/** A stack may have 500 resources, and each pipeline has about 20. */
const PIPELINES = 25

/** As many pipelines as a stack can have, each with a table and a topic of its own. */
export function manyOf(pipeline: Pipeline): readonly Pipeline[] {
  return Array.from({ length: PIPELINES }, (_, i) => {
    const name = `pipeline_number_${i}`
    return { ...pipeline, name, topic: name, table: { ...pipeline.table, name } }
  })
}

export function policySize(resources: Resources, role: string): number {
  return JSON.stringify(resources[role]?.Properties['Policies']).length
}
