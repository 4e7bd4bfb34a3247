import { logsOf } from '#shared/lake/log-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'

/**
 * Most often the URL is wrong, and what would be said of an empty lake would mislead.
 * @throws InletError LOG_CORRUPT when there is no commit log at all
 */
export async function requireLake(store: ObjectStore): Promise<void> {
  for await (const _ of logsOf(store)) return
  throw new InletError('LOG_CORRUPT', `${store.url}: there is no commit log here; is it the lake you meant?`)
}
