import { deadLetterTableName } from '#shared/pipeline/dead-letter-name.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { LakeStore } from './lake-store.ts'
import { openStore } from './open-store.ts'
import { createS3Client, S3Store } from './s3-store.ts'

/** What is known of a lake's tables. */
export interface LakeTables {
  /** The catalog that they are in (see `openCatalog`); null when it is not known. */
  readonly catalog: string | null
  /** Those that are written to. */
  readonly pipelines: readonly Pipeline[]
}

const UNKNOWN: LakeTables = { catalog: null, pipelines: [] }

/**
 * The lake that a URL names (see `openStore`), with the data files of its tables wherever they lie. Where tables lie is noted in
 * the lake: nothing is asked but for tables of S3 Tables, or of a catalog that is not known, and no catalog is.
 * @throws InletError STORE_DENIED as `openStore` does. Writing to a table of S3 Tables throws TABLE_MISSING before it was made.
 */
export function openLake(url: string, { catalog, pipelines }: LakeTables = UNKNOWN): LakeStore {
  const isS3Tables = catalog?.startsWith('s3tables:') ?? 'unknown'
  const inCatalog = new Set(pipelines.flatMap(tablesOf))
  let client: ReturnType<typeof createS3Client> | undefined
  return new LakeStore(openStore(url), {
    openBucket: (bucket) => {
      client ??= createS3Client({ followRegionRedirects: true })
      return new S3Store(bucket, { client })
    },
    hasBucket: (table) => (isS3Tables === true && !inCatalog.has(table) ? 'unknown' : isS3Tables),
  })
}

function tablesOf({ table: { name, layout } }: Pipeline): string[] {
  return layout === 'files' ? [] : [name, deadLetterTableName(name)]
}
