import { flights } from '#functions/flights/pipeline.ts'
import { jobsHandler } from '#shared/runtimes/jobs.ts'

export const handler = jobsHandler([flights])
