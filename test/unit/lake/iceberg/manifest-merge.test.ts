import { mergeGroups, olderEntries } from '#shared/lake/iceberg/manifest-merge.ts'
import type { ManifestFile } from '#shared/lake/iceberg/manifest-list.ts'
import type { InheritedEntry } from '#shared/lake/iceberg/table-files.ts'
import type { TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'

/** Newest first; names tell the order. */
const manifests = (...sizes: number[]): ManifestFile[] =>
  sizes.map((bytes, i) => ({ location: `m${sizes.length - i}`, bytes, spec: 0, content: 'data' }) as ManifestFile)
const table = (properties: Record<string, string>): TableMetadata => ({ properties }) as unknown as TableMetadata
const groupsOf = (some: readonly ManifestFile[], properties: Record<string, string> = {}): string[] =>
  mergeGroups(table(properties), some).map((group) => group.map(({ location }) => location).join('+'))

const SMALL = { 'commit.manifest.target-size-bytes': '100', 'commit.manifest.min-count-to-merge': '3' }

test('too few small ones stay as they are', () => {
  expect(groupsOf(manifests(10, 10), SMALL)).toEqual(['m2', 'm1'])
})

test('enough of them become one', () => {
  expect(groupsOf(manifests(10, 10, 10), SMALL)).toEqual(['m3+m2+m1'])
})

test('the oldest are packed full, and the newest wait until they are enough', () => {
  expect(groupsOf(manifests(10, 10, 60, 30, 30, 40), SMALL)).toEqual(['m6+m5+m4', 'm3+m2+m1'])
  expect(groupsOf(manifests(10, 60, 30, 30, 40), SMALL)).toEqual(['m5', 'm4', 'm3+m2+m1'])
})

test('what is as large as the target is not written again', () => {
  expect(groupsOf(manifests(10, 100, 100, 250), SMALL)).toEqual(['m4', 'm3', 'm2', 'm1'])
})

test('manifests of other specs, and of deletes, are not mixed in', () => {
  const some = manifests(10, 10, 10, 10, 10, 10).map((manifest, i) => {
    return { ...manifest, spec: i % 2, content: i === 5 ? ('deletes' as const) : ('data' as const) }
  })
  expect(groupsOf(some, SMALL)).toEqual(['m6+m4+m2', 'm5', 'm3', 'm1'])
})

test('manifests of deletes stay as they are, however many they are', () => {
  const deletes = manifests(10, 10, 10, 10).map((manifest) => ({ ...manifest, content: 'deletes' as const }))
  expect(groupsOf(deletes, SMALL)).toEqual(['m4', 'm3', 'm2', 'm1'])
})

test('a hundred of at most 8 MiB, unless the table says otherwise', () => {
  const hundred = manifests(...Array.from({ length: 100 }, () => 10_000))
  expect(groupsOf(hundred)).toHaveLength(1)
  expect(groupsOf(hundred.slice(1))).toHaveLength(99)
  const large = manifests(...Array.from({ length: 200 }, () => 84_000))
  // 99 fill 8 MiB; of the newest there are too few.
  expect(groupsOf(large).map((names) => names.split('+').length)).toEqual([1, 1, 99, 99])
  expect(groupsOf(hundred, { 'commit.manifest-merge.enabled': 'false' })).toHaveLength(100)
})

test('older entries exist by now, and what was deleted is gone', () => {
  const entry = (status: string, n: number): InheritedEntry =>
    ({ status, snapshotId: BigInt(n), sequenceNumber: n, fileSequenceNumber: n }) as unknown as InheritedEntry
  expect(olderEntries([entry('added', 1), entry('deleted', 2), entry('existing', 3)])).toEqual([
    { status: 'existing', snapshotId: 1n, sequenceNumber: 1, fileSequenceNumber: 1 },
    { status: 'existing', snapshotId: 3n, sequenceNumber: 3, fileSequenceNumber: 3 },
  ])
})
