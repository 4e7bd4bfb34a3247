import { expireSnapshots } from '#shared/lake/iceberg/retention.ts'
import { withSnapshot } from '#shared/lake/iceberg/snapshot.ts'
import { createTable, type SnapshotRef, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const DAY = 86_400_000
const NOW = 100 * DAY
const { lock } = lockedTable('t', [])

/** A table with a snapshot for each of these days before now, one upon the other, the last the current one. */
function tableOf(
  daysAgo: readonly number[],
  properties: Record<string, string> = {},
  refs: Record<string, SnapshotRef> = {},
): TableMetadata {
  const empty = createTable({ uuid: 'u', location: 's3://b/t', lock, properties, now: 0 })
  const table = daysAgo.reduce((before, days, i) => {
    return withSnapshot(before, {
      'snapshot-id': BigInt(i + 1),
      ...(i === 0 ? {} : { 'parent-snapshot-id': BigInt(i) }),
      'sequence-number': i + 1,
      'timestamp-ms': NOW - days * DAY,
      'manifest-list': `s3://b/t/metadata/${i + 1}.avro`,
      summary: { operation: 'append' },
    })
  }, empty)
  return { ...table, refs: { ...table.refs, ...refs } }
}
const kept = (table: TableMetadata): bigint[] =>
  expireSnapshots(table, NOW).snapshots.map((snapshot) => snapshot['snapshot-id'])

test('snapshots of five days are kept, and the current one however old it is', () => {
  expect(kept(tableOf([9, 6, 5, 1]))).toEqual([3n, 4n])
  expect(kept(tableOf([90, 80]))).toEqual([2n])
})

test('a table with nothing to expire stays the same object', () => {
  const table = tableOf([4, 3, 2])
  expect(expireSnapshots(table, NOW)).toBe(table)
  const empty = tableOf([])
  expect(expireSnapshots(empty, NOW)).toBe(empty)
})

test('the table says how old, and how many at the least', () => {
  const age = { 'history.expire.max-snapshot-age-ms': String(2 * DAY) }
  expect(kept(tableOf([9, 6, 5, 1], age))).toEqual([4n])
  expect(kept(tableOf([9, 6, 5, 1], { ...age, 'history.expire.min-snapshots-to-keep': '3' }))).toEqual([2n, 3n, 4n])
})

test('branches have their own rules, and tags keep their snapshot', () => {
  const refs: Record<string, SnapshotRef> = {
    audit: { 'snapshot-id': 2n, type: 'branch', 'min-snapshots-to-keep': 2, 'max-snapshot-age-ms': DAY },
    release: { 'snapshot-id': 4n, type: 'tag' },
  }
  expect(kept(tableOf([50, 40, 30, 20, 10, 0], {}, refs))).toEqual([1n, 2n, 4n, 6n])
})

test('references that are too old go, but never main', () => {
  const refs: Record<string, SnapshotRef> = {
    old: { 'snapshot-id': 1n, type: 'tag', 'max-ref-age-ms': 10 * DAY },
    young: { 'snapshot-id': 2n, type: 'tag', 'max-ref-age-ms': 50 * DAY },
    gone: { 'snapshot-id': 77n, type: 'tag' },
  }
  const table = expireSnapshots(tableOf([50, 40, 30], { 'history.expire.max-ref-age-ms': String(DAY) }, refs), NOW)
  expect(Object.keys(table.refs)).toEqual(['main', 'young'])
  expect(table.snapshots.map((snapshot) => snapshot['snapshot-id'])).toEqual([2n, 3n])
})

test('the log begins behind the last snapshot that is expired', () => {
  const table = expireSnapshots(tableOf([9, 6, 5, 1]), NOW)
  expect(table['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([3n, 4n])
  expect(table).toMatchObject({ 'current-snapshot-id': 4n, 'last-sequence-number': 4, 'last-updated-ms': NOW })
  // 1 is kept by a tag, but 2 is not there any more: a look back to before 3 must not find 1.
  const tagged = expireSnapshots(tableOf([9, 6, 5, 1], {}, { t: { 'snapshot-id': 1n, type: 'tag' } }), NOW)
  expect(tagged.snapshots).toHaveLength(3)
  expect(tagged['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([3n, 4n])
})
