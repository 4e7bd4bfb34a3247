import { LOG_ROOT } from './log-keys.ts'
import { logsOf } from './log-store.ts'
import type { ObjectStore } from './object-store.ts'

/** The generations of a pipeline that have a commit log, ascending. */
export async function generationsOf(store: ObjectStore, pipeline: string): Promise<number[]> {
  const generations = new Set<number>()
  for await (const { id } of logsOf(store, `${LOG_ROOT}${pipeline}/`)) generations.add(id.generation)
  return [...generations].sort((a, b) => a - b)
}
