import { tablesHandler } from '#shared/runtimes/tables.ts'

export const handler = tablesHandler()
