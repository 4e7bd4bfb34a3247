import type { GlueClient } from '@aws-sdk/client-glue'
import type { S3Client } from '@aws-sdk/client-s3'
import type { S3TablesClient } from '@aws-sdk/client-s3tables'
import { createGlueClient, createS3TablesClient } from '#shared/lake/catalog-clients.ts'
import { TABLES_ROOT } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { createS3Client, S3Store } from '#shared/lake/s3-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { DirectoryCatalog } from './directory-catalog.ts'
import { GluePointers } from './glue-catalog.ts'
import { LocatedStore } from './located-store.ts'
import { PointerCatalog } from './pointer-catalog.ts'
import { S3TablePointers, type S3TablesNamespace } from './s3-tables-catalog.ts'
import type { TableCatalog } from './table-catalog.ts'

/** A catalog, and where its tables lie. */
export interface OpenCatalog {
  readonly catalog: TableCatalog
  /** URI of a table's folder, for one that is to be made; S3 Tables makes an entry for it when it is asked. */
  readonly locationOf: (table: string) => Promise<string>
  /** The objects at a URI, as the location of a table. */
  readonly filesAt: (location: string) => LocatedStore
}

/** By default each takes region, endpoint and credentials from the environment. */
export interface CatalogClients {
  readonly glue?: GlueClient
  readonly s3Tables?: S3TablesClient
  /** For the buckets of S3 Tables. */
  readonly s3?: S3Client
}

const FORMS = 'directory, glue:<database>, or s3tables:<ARN of a table bucket>/<namespace>'
const DATABASE = /^[a-z0-9_-]{1,255}$/
const NAMESPACE =
  /^(?<bucket>arn:aws[-a-z0-9]*:s3tables:(?<region>[a-z0-9-]+):\d{12}:bucket\/[a-z0-9_-]{3,63})\/(?<namespace>[a-z0-9_]{1,255})$/

/**
 * The catalog that a URL names: `directory`, for the numbered files of a lake's own folders; `glue:<database>`, for the Glue Data
 * Catalog; `s3tables:<ARN of a table bucket>/<namespace>`, for Amazon S3 Tables.
 * @param store the lake, which tables of a directory and of Glue are part of
 * @throws InletError STORE_DENIED for anything else, and for a lake that the catalog cannot be of
 */
export function openCatalog(url: string, store: ObjectStore, clients: CatalogClients = {}): OpenCatalog {
  const [, scheme = url, rest = ''] = /^(glue|s3tables):(.*)$/.exec(url) ?? []
  if (scheme === 'directory') return directoryCatalog(store)
  if (scheme === 'glue') return glueCatalog(rest, store, clients)
  if (scheme === 's3tables') return s3TablesCatalog(rest, clients)
  throw new InletError('STORE_DENIED', `${url}: there is no such catalog; use ${FORMS}`)
}

function folderOf(table: string): string {
  return `${TABLES_ROOT}${table}`
}

function directoryCatalog(store: ObjectStore): OpenCatalog {
  const catalog = new DirectoryCatalog(store, folderOf)
  return { catalog, ...withinLake(store) }
}

function glueCatalog(database: string, store: ObjectStore, { glue }: CatalogClients): OpenCatalog {
  if (!DATABASE.test(database))
    throw new InletError('STORE_DENIED', `glue:${database}: "${database}" cannot be a database of Glue's; use ${FORMS}`)
  if (!store.url.startsWith('s3://'))
    throw new InletError('STORE_DENIED', `glue:${database} is for a lake in S3, and this one is ${store.url}`)
  const lake = withinLake(store)
  const pointers = new GluePointers(glue ?? createGlueClient(), database)
  return { catalog: new PointerCatalog(pointers, lake.filesAt), ...lake }
}

function withinLake(store: ObjectStore): Pick<OpenCatalog, 'locationOf' | 'filesAt'> {
  const files = new LocatedStore(store)
  return { locationOf: (table) => Promise.resolve(files.locate(folderOf(table))), filesAt: () => files }
}

function s3TablesCatalog(name: string, { s3Tables, s3 }: CatalogClients): OpenCatalog {
  const { bucket = '', region = '', namespace = '' } = NAMESPACE.exec(name)?.groups ?? {}
  if (bucket === '')
    throw new InletError('STORE_DENIED', `s3tables:${name}: expected s3tables:<ARN of a table bucket>/<namespace>`)
  const place: S3TablesNamespace = { bucket, namespace }
  const pointers = new S3TablePointers(s3Tables ?? createS3TablesClient({ region }), place)
  const filesAt = filesInBuckets(s3 ?? createS3Client({ region }))
  return { catalog: new PointerCatalog(pointers, filesAt), locationOf: (table) => pointers.locationOf(table), filesAt }
}

/** Each table has a bucket of its own. Stores are kept: each bounds the calls that are under way. */
function filesInBuckets(client: S3Client): (location: string) => LocatedStore {
  const known = new Map<string, LocatedStore>()
  return (location) => {
    const bucket = /^s3:\/\/[^/]+/.exec(location)?.[0] ?? location
    const files = known.get(bucket) ?? new LocatedStore(new S3Store(bucket, { client }))
    known.set(bucket, files)
    return files
  }
}
