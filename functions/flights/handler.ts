import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { flights } from './pipeline.ts'

export const handler = lambdaHandler(flights)
