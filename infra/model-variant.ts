import { attribute, type Value } from './cloudformation.ts'
import type { ModelSettings } from './stage.ts'

/** The least memory would do for the model; more of it comes with more of a processor. Ten requests are made at a time. */
const SERVERLESS = { ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 10 } }

/** What the endpoint of infra/sagemaker.yml runs on. */
export function modelVariant({ instance }: ModelSettings): Value {
  const runsOn = instance === null ? SERVERLESS : { InstanceType: instance, InitialInstanceCount: 1 }
  return { VariantName: 'AllTraffic', ModelName: attribute('Model', 'ModelName'), InitialVariantWeight: 1, ...runsOn }
}
