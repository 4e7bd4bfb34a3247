import { encodeAvroFile } from '#shared/lake/iceberg/avro-file.ts'
import type { ContentFile, FileContent } from '#shared/lake/iceberg/data-file.ts'
import { encodeManifest, type ManifestEntry } from '#shared/lake/iceberg/manifest.ts'
import { encodeManifestList, type ManifestFile, manifestFileOf } from '#shared/lake/iceberg/manifest-list.ts'
import { type LiveFile, liveFiles, type ReadObject } from '#shared/lake/iceberg/table-files.ts'
import { createTable, currentSchema, type Snapshot, specWithId } from '#shared/lake/iceberg/table-metadata.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const { lock } = lockedTable('t', [])
const TABLE = createTable({ uuid: 'u', location: 's3://b/t', lock, properties: {}, now: 1000 })
const NONE = new Map<number, never>()

const file = (location: string, content: FileContent = 'data'): ContentFile => ({
  content,
  location,
  format: 'PARQUET',
  spec: 0,
  partition: [],
  rows: 1,
  bytes: 1,
  columnSizes: NONE,
  valueCounts: NONE,
  nullCounts: NONE,
  nanCounts: NONE,
  lowerBounds: NONE,
  upperBounds: NONE,
  splits: null,
  sortOrder: null,
  keyMetadata: null,
  equalityIds: null,
  referencedDataFile: null,
})
const entry = (
  status: ManifestEntry['status'],
  of: ContentFile,
  id: bigint | null,
  sequence: number | null,
): ManifestEntry => ({
  status,
  snapshotId: id,
  sequenceNumber: sequence,
  fileSequenceNumber: sequence,
  file: of,
})

/** A snapshot of manifests with these entries, as another writer may have made it. */
function snapshotOf(manifests: readonly { entries: readonly ManifestEntry[]; in: Partial<ManifestFile> }[]): {
  snapshot: Snapshot
  read: ReadObject
} {
  const objects = new Map<string, Uint8Array>()
  const listed = manifests.map(({ entries, in: own }, i) => {
    const location = `s3://b/t/metadata/m${i}.avro`
    objects.set(
      location,
      encodeManifest({ schema: currentSchema(TABLE), spec: specWithId(TABLE, 0), columns: [], entries }),
    )
    const place = { location, bytes: 1, spec: 0, sequenceNumber: 9, addedSnapshotId: 99n }
    return { ...manifestFileOf(place, entries, []), ...own }
  })
  const list = encodeManifestList({ snapshotId: 99n, parentId: null, sequenceNumber: 9 }, listed)
  objects.set('s3://b/t/metadata/list.avro', list)
  const snapshot: Snapshot = {
    'snapshot-id': 99n,
    'sequence-number': 9,
    'timestamp-ms': 1,
    'manifest-list': 's3://b/t/metadata/list.avro',
    summary: { operation: 'overwrite' },
  }
  return { snapshot, read: async (location) => objects.get(location) ?? new Uint8Array() }
}

async function filesOf(manifests: Parameters<typeof snapshotOf>[0]): Promise<LiveFile[]> {
  const { snapshot, read } = snapshotOf(manifests)
  const files: LiveFile[] = []
  for await (const live of liveFiles(TABLE, snapshot, read)) files.push(live)
  return files
}

test('what was deleted is not there; deletes are, for a reader has to apply them', async () => {
  const files = await filesOf([
    {
      entries: [
        entry('added', file('a'), null, null),
        entry('deleted', file('b'), 99n, 3),
        entry('existing', file('c'), 5n, 3),
      ],
      in: {},
    },
    {
      entries: [
        entry('added', file('d', 'position deletes'), null, null),
        entry('added', file('e', 'equality deletes'), 98n, 7),
      ],
      in: { content: 'deletes', sequenceNumber: 8, addedSnapshotId: 98n },
    },
  ])
  expect(
    files.map(({ location, content, sequenceNumber, snapshotId }) => [location, content, sequenceNumber, snapshotId]),
  ).toEqual([
    ['a', 'data', 9, 99n],
    ['c', 'data', 3, 5n],
    ['d', 'position deletes', 8, 98n],
    ['e', 'equality deletes', 7, 98n],
  ])
})

test('only what was added inherits a sequence number', async () => {
  await expect(filesOf([{ entries: [entry('existing', file('a'), 1n, null)], in: {} }])).rejects.toThrow(
    's3://b/t/metadata/m0.avro: a is existing without a sequence number',
  )
  // In manifests of the first version there are none: all are 0.
  expect(
    await filesOf([{ entries: [entry('existing', file('a'), 1n, null)], in: { sequenceNumber: 0 } }]),
  ).toMatchObject([{ location: 'a', sequenceNumber: 0 }])
})

test('what is no manifest list is refused by its name', async () => {
  const { snapshot } = snapshotOf([])
  const wrong = encodeAvroFile({ schema: { type: 'record', name: 'r', fields: [] }, metadata: {}, records: [{}] })
  const first = async (): Promise<unknown> => liveFiles(TABLE, snapshot, async () => wrong).next()
  await expect(first()).rejects.toThrow('s3://b/t/metadata/list.avro: ')
})
