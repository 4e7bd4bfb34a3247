import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { ContentFile } from '#shared/lake/iceberg/data-file.ts'
import { encodeManifest, type ManifestEntry } from '#shared/lake/iceberg/manifest.ts'
import { encodeManifestList, manifestFileOf } from '#shared/lake/iceberg/manifest-list.ts'
import { newSnapshotId, withSnapshot } from '#shared/lake/iceberg/snapshot.ts'
import { type LiveFile, manifestsOf } from '#shared/lake/iceberg/table-files.ts'
import { currentSchema, currentSnapshot, partitionColumnsOf, specWithId } from '#shared/lake/iceberg/table-metadata.ts'
import type { LakeTable } from './lake-table.ts'
import { inTemporaryDirectory } from './temporary-directory.ts'

/** A row that another engine deletes: the URI of its file, as that engine writes it, and its number there. */
export type DeletedRow = readonly [location: string, position: number]

/** Deletes rows as other engines do: by a file that names them, in a new snapshot. @param of a file of their partition */
export async function deletePositions(table: LakeTable, of: LiveFile, rows: readonly DeletedRow[]): Promise<void> {
  const values = rows.map(([location, position]) => `('${location}', ${position}::BIGINT)`).join(', ')
  await deleteBy(table, of, 'position deletes', `SELECT * FROM (VALUES ${values}) AS t (file_path, pos)`)
}

/** Deletes rows by a value of the first column. @param age what the deletes are older than, when that is not their snapshot's */
export async function deleteEqual(
  table: LakeTable,
  of: LiveFile,
  column: string,
  value: string,
  { age = null }: { age?: number | null } = {},
): Promise<void> {
  await deleteBy(table, of, 'equality deletes', `SELECT ${value} AS "${column}"`, age)
}

/** Writes the files of a table anew under names of another engine, as compaction does. */
export async function rewriteFiles(table: LakeTable): Promise<void> {
  const files: ContentFile[] = []
  const { location } = await table.metadata()
  const located = table.surroundings.tables.filesAt(location)
  for (const file of await table.files()) {
    const copy = `${location}/data/${randomUUID()}.parquet`
    await located.put(copy, await located.read(file.location))
    files.push({ ...file, location: copy })
  }
  await commitFiles(table, files, null, { isRewrite: true })
}

async function deleteBy(
  table: LakeTable,
  of: LiveFile,
  content: ContentFile['content'],
  sql: string,
  age: number | null = null,
): Promise<void> {
  const { location: folder } = await table.metadata()
  const body = await parquetOf(sql)
  const file: ContentFile = {
    ...of,
    content,
    location: `${folder}/data/${randomUUID()}-deletes.parquet`,
    rows: 1,
    bytes: body.length,
    equalityIds: content === 'equality deletes' ? [1] : null,
  }
  await table.surroundings.tables.filesAt(folder).put(file.location, body)
  await commitFiles(table, [file], age, { isRewrite: false })
}

/** A snapshot with files of one partition spec: in place of all that there were, or beside them. */
async function commitFiles(
  table: LakeTable,
  files: readonly ContentFile[],
  age: number | null,
  { isRewrite }: { readonly isRewrite: boolean },
): Promise<void> {
  const base = await table.catalog.load(table.owner.table)
  const parent = base && currentSnapshot(base.metadata)
  const specId = files[0]?.spec
  if (base === undefined || parent === undefined || specId === undefined) throw new Error('the table has no snapshot')
  const { metadata } = base
  const located = table.surroundings.tables.filesAt(metadata.location)
  const [snapshotId, sequenceNumber] = [newSnapshotId(metadata), metadata['last-sequence-number'] + 1]
  const status = age === null ? 'added' : 'existing'
  const entries = files.map((file): ManifestEntry => {
    return { status, snapshotId, sequenceNumber: age, fileSequenceNumber: age, file }
  })
  const columns = partitionColumnsOf(metadata, specId)
  const [schema, spec] = [currentSchema(metadata), specWithId(metadata, specId)]
  const manifest = encodeManifest({ schema, spec, columns, entries })
  const location = `${metadata.location}/metadata/${randomUUID()}-m0.avro`
  await located.put(location, manifest)
  const place = { location, bytes: manifest.length, spec: specId, sequenceNumber, addedSnapshotId: snapshotId }
  const content = files[0]?.content === 'data' ? ('data' as const) : ('deletes' as const)
  const listed = { ...manifestFileOf(place, entries, columns), content }
  const before = isRewrite ? [] : await manifestsOf(parent, (uri) => located.read(uri))
  const parentId = parent['snapshot-id']
  const list = `${metadata.location}/metadata/snap-${snapshotId}.avro`
  await located.put(list, encodeManifestList({ snapshotId, parentId, sequenceNumber }, [...before, listed]))
  const snapshot = {
    'snapshot-id': snapshotId,
    'parent-snapshot-id': parentId,
    'sequence-number': sequenceNumber,
    'timestamp-ms': parent['timestamp-ms'] + 1,
    'manifest-list': list,
    summary: { operation: isRewrite ? 'replace' : 'delete', 'engine-name': 'spark' },
    'schema-id': metadata['current-schema-id'],
  }
  if ((await table.catalog.commit(table.owner.table, base, withSnapshot(metadata, snapshot))) !== 'committed')
    throw new Error('a race was lost')
}

function parquetOf(sql: string): Promise<Uint8Array> {
  return inTemporaryDirectory(async (directory) => {
    const file = path.join(directory, 'deletes.parquet')
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run(`COPY (${sql}) TO '${file}'`)
    connection.closeSync()
    instance.closeSync()
    return readFile(file)
  })
}
