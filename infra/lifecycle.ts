import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { dataPrefix, LOG_ROOT } from '#shared/lake/log-keys.ts'
import type { Value } from './cloudformation.ts'

/** How long what was deleted can be brought back. */
const DAYS = 30

/**
 * What the lake's bucket throws away by itself: versions of data files that a vacuum has deleted, and of markers that the
 * committer has. Never a current object, and nothing else of the log or of a table's metadata.
 */
export function lifecycleRules(pipelines: readonly Pipeline[]): readonly Value[] {
  const tables = new Set(pipelines.flatMap((pipeline) => [pipeline.table.name, deadLetterTable(pipeline).name]))
  const expiry = { NoncurrentVersionExpiration: { NoncurrentDays: DAYS } }
  return [
    ...[...tables].sort().map((table) => ({ Id: table, Status: 'Enabled', Prefix: dataPrefix(table), ...expiry })),
    // Of all that a log consists of, only markers are empty and deleted.
    { Id: 'markers', Status: 'Enabled', Prefix: LOG_ROOT, ObjectSizeLessThan: '1', ...expiry },
    // What deleting a marker leaves behind, once its versions are gone: it slows lists down, and is no object.
    { Id: 'delete-markers', Status: 'Enabled', Prefix: LOG_ROOT, ExpiredObjectDeleteMarker: true },
  ]
}
