import { flights } from '#functions/flights/pipeline.ts'
import { committerHandler } from '#shared/runtimes/committer.ts'

export const handler = committerHandler([flights])
