import type { Context } from 'aws-lambda'
import type { Lake } from '#shared/pipeline/commit.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import type { EventFile } from './event-file.ts'
import { lambdaHandler } from './lambda.ts'
import type { Telemetry } from './telemetry.ts'

const LAMBDA_TIMEOUT_MS = 14 * 60 * 1000

/** Runs the pipeline's Lambda handler over files, one invocation after another. Stops at the first that fails. */
export async function runLocally(
  pipeline: Pipeline,
  files: readonly EventFile[],
  options: { readonly lake: Lake; readonly concurrency: number; readonly onSlice: (report: SliceReport) => void },
): Promise<void> {
  const telemetry: Telemetry = { begin() {}, slice: options.onSlice, failure() {}, end() {} }
  const handler = lambdaHandler(pipeline, { lake: options.lake, telemetry, concurrency: options.concurrency })
  let invocation = 0
  for (const file of files) {
    for (const event of file.events()) await handler(event, localContext(pipeline, invocation++))
  }
}

function localContext(pipeline: Pipeline, invocation: number): Context {
  const deadline = performance.now() + LAMBDA_TIMEOUT_MS
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: pipeline.name,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:local:000000000000:function:${pipeline.name}`,
    memoryLimitInMB: '1024',
    awsRequestId: `local-${invocation}`,
    logGroupName: `/aws/lambda/${pipeline.name}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => deadline - performance.now(),
    done() {},
    fail() {},
    succeed() {},
  }
}
