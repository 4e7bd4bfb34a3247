import { flights } from '#functions/flights/pipeline.ts'
import { redriveHandler } from '#shared/runtimes/redrive.ts'

export const handler = redriveHandler([flights])
