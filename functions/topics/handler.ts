import { topicsHandler } from '#shared/runtimes/topics.ts'

export const handler = topicsHandler()
