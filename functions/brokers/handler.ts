import { brokersHandler } from '#shared/runtimes/brokers.ts'

export const handler = brokersHandler()
