import { TABLES_ROOT } from '#shared/lake/log-keys.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { linesOf } from '../json-lines-reader.ts'
import { readParquet } from '../parquet-reader.ts'
import type { Bucket } from './bucket.ts'
import { nameIn } from './handler-pipelines.ts'
import { logName } from './topic.ts'
import type { NamesIn } from './workload.ts'

/** Reads all data files, by other code than that which wrote them. */
export async function readDataFiles({ objects }: Bucket): Promise<NamesIn> {
  const names = new Map<string, readonly string[]>()
  for (const { key } of objects.page(TABLES_ROOT, undefined, Number.POSITIVE_INFINITY).entries) {
    if (key.split('/')[2] !== 'data') continue
    const rows = await rowsIn(key, objects.get(key) ?? new Uint8Array())
    names.set(key, rows.map(nameOf))
  }
  return (path) => names.get(path) ?? []
}

async function rowsIn(key: string, body: Uint8Array): Promise<Row[]> {
  if (key.endsWith('.jsonl.gz')) return linesOf(body, 'gzip').map((line) => JSON.parse(line) as Row)
  // What others keep beside the data may be anything.
  return body.length > 1 ? readParquet(body) : []
}

/** The name of a row's record, which must be the one at the position that its columns say. */
function nameOf(row: Row): string {
  const name = typeof row['name'] === 'string' ? row['name'] : nameIn(row['value'] as Uint8Array)
  const log = logName({ partition: Number(row['_kafka_partition']), epoch: Number(row['_epoch']) })
  const position = `${log}@${Number(row['_offset'])}`
  return name === position ? name : `${name} at ${position}`
}
