import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { liveFiles } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { LOG_ROOT } from '#shared/lake/log-keys.ts'
import { rescoreWaiting } from '#shared/lake/rescore/rescore.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Scorer, Verdict } from '#shared/pipeline/scorer.ts'
import { readParquet } from '../parquet-reader.ts'
import type { Bucket } from './bucket.ts'
import { LAKE_URL } from './lambda.ts'

/** How often an endpoint is away for all rows of a call, and for one of them. */
const AWAY = 0.4
const AWAY_FOR_ONE = 0.1
const BEGIN = Date.UTC(2026, 0, 1)

/** What the model knows a row by, and what it says of it: its own for each row. */
export const featuresOf = ({ name, at }: { name: string; at: Date }): readonly string[] => [name, at.toISOString()]
const scoreOf = (features: readonly string[]): number =>
  Buffer.from(features.join(' ')).reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 7)

/** A model whose endpoint is away now and then. */
export function scorerOf(random: () => number): Scorer {
  return {
    async score(_score, features) {
      const isAway = random() < AWAY
      return (features as readonly (readonly string[])[]).map((of): Verdict => {
        if (isAway || random() < AWAY_FOR_ONE) return { kind: 'unavailable', reason: 'UNREACHABLE' }
        return { kind: 'predicted', prediction: scoreOf(of), modelVersion: null }
      })
    },
  }
}

/** One run of what scores rows that wait. */
export async function rescoreOnce(
  surroundings: CommitterSurroundings,
  pipeline: Pipeline,
  random: () => number,
): Promise<void> {
  const { signal } = new AbortController()
  await rescoreWaiting(surroundings, pipeline, { scoring: { scorer: scorerOf(random), signal }, signal })
}

/** What is wrong with the scores of a lake in the end, and with those that waited once their endpoint is back. */
export async function scoreFaults(bucket: Bucket, pipeline: Pipeline): Promise<string[]> {
  const store = new S3Store(LAKE_URL, { client: bucket.client() })
  const tables = openCatalog('directory', store)
  if ((await tables.catalog.load(pipeline.table.name)) === undefined) return []
  const surroundings = { store, tables, now: () => BEGIN }
  const faults = (await rowsOf(surroundings, pipeline)).flatMap((row) => faultOf(row, false))
  await rescoreOnce(surroundings, pipeline, () => 1)
  for (const row of await rowsOf(surroundings, pipeline)) faults.push(...faultOf(row, true))
  for (const { key } of bucket.objects.page(LOG_ROOT, undefined, Number.POSITIVE_INFINITY).entries)
    if (key.includes('/waiting/') && isOfEntry(bucket, key)) faults.push(`${key} is still there`)
  return faults
}

/** A marker whose entry was never put may be of a writer at work. */
function isOfEntry(bucket: Bucket, key: string): boolean {
  const [, log, kind, start = '', number = ''] =
    /^(?<log>.*\/)waiting\/(?<kind>[ca])(?<start>\d+)(?:\.(?<n>\d+))?$/.exec(key) ?? []
  const commit = String(Number.MAX_SAFE_INTEGER - Number(start)).padStart(start.length, '0')
  const entry =
    kind === 'c' ? `${log}commits/${commit}.json` : `${log}amendments/${start}/${number.padStart(6, '0')}.json`
  return bucket.objects.get(entry) !== undefined
}

async function rowsOf({ tables }: CommitterSurroundings, { table }: Pipeline): Promise<Row[]> {
  const loaded = await tables.catalog.load(table.name)
  const snapshot = loaded && currentSnapshot(loaded.metadata)
  if (loaded === undefined || snapshot === undefined) return []
  const located = tables.filesAt(loaded.metadata.location)
  const rows: Row[] = []
  for await (const { location } of liveFiles(loaded.metadata, snapshot, (of) => located.read(of)))
    rows.push(...(await readParquet(await located.read(location))))
  return rows
}

function faultOf(row: Row, isOver: boolean): string[] {
  const name = String(row['name'])
  const own = scoreOf(featuresOf({ name, at: row['at'] as Date }))
  if (row['score'] === null) return isOver ? [`${name} waits for its score for ever`] : []
  return row['score'] === own ? [] : [`${name} has the score of another`]
}
