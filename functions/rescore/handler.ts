import { flights } from '#functions/flights/pipeline.ts'
import { rescoreHandler } from '#shared/runtimes/rescore.ts'

export const handler = rescoreHandler([flights])
