import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { failureBucket } from '#shared/pipeline/trigger.ts'
import { sub, type Value } from './cloudformation.ts'
import { bucketArn } from './event-source-mapping.ts'

/**
 * What goes through the endpoint of S3 in a network of the stage's own: the answers of custom resources, which are put into
 * buckets of CloudFormation's, and what pollers give up, which are in the network ("Capturing discarded batches for Amazon MSK…":
 * "You must deploy a VPC endpoint for your on-failure destination service inside your Kafka cluster VPC").
 */
export function endpointPolicy(pipelines: readonly Pipeline[]): Value {
  const buckets = [...new Set(pipelines.flatMap(({ trigger }) => failureBucket(trigger) ?? []))].map(bucketArn)
  const answers = 'arn:${AWS::Partition}:s3:::cloudformation-custom-resource-response-*/*'
  const givenUp = buckets.map((bucket) => `${bucket}/aws/lambda/*`)
  return {
    Version: '2012-10-17',
    Statement: [
      allow('s3:PutObject', [answers, ...givenUp]),
      ...(buckets.length > 0 ? [allow('s3:ListBucket', buckets)] : []),
    ],
  }
}

function allow(Action: string, resources: readonly string[]): Value {
  return { Effect: 'Allow', Principal: '*', Action, Resource: resources.map(sub) }
}
