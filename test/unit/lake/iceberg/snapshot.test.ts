import type { ContentFile } from '#shared/lake/iceberg/data-file.ts'
import { ancestry, appendSummary, isInAncestry, newSnapshotId, withSnapshot } from '#shared/lake/iceberg/snapshot.ts'
import { createTable, type Snapshot, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const { lock } = lockedTable('t', [])
const EMPTY = createTable({ uuid: 'u', location: 's3://b/t', lock, properties: {}, now: 1000 })

const APPEND = { operation: 'append' }

const snapshot = (id: bigint, parent: bigint | null, summary: Record<string, string> = APPEND): Snapshot => ({
  'snapshot-id': id,
  'parent-snapshot-id': parent,
  'sequence-number': Number(id),
  'timestamp-ms': 1000 + Number(id),
  'manifest-list': `s3://b/t/metadata/${id}.avro`,
  summary,
})
const file = (rows: number, bytes: number, partition: ContentFile['partition'], spec = 0): ContentFile =>
  ({ rows, bytes, partition, spec }) as ContentFile

test('ids are positive, of 63 bits, and new', () => {
  const ids = Array.from({ length: 200 }, () => newSnapshotId(EMPTY))
  expect(new Set(ids).size).toBe(200)
  for (const id of ids) expect(id > 0n && id < 2n ** 63n).toBe(true)
  expect(ids.some((id) => id > 2n ** 62n)).toBe(true)
})

describe('ancestry', () => {
  const table: TableMetadata = [snapshot(1n, null), snapshot(2n, 1n), snapshot(3n, 2n)].reduce(withSnapshot, EMPTY)

  test('goes from the current snapshot to the first that is kept', () => {
    expect([...ancestry(table)].map((some) => some['snapshot-id'])).toEqual([3n, 2n, 1n])
    const expired = { ...table, snapshots: table.snapshots.slice(1) }
    expect([...ancestry(expired)].map((some) => some['snapshot-id'])).toEqual([3n, 2n])
    expect([...ancestry(EMPTY)]).toEqual([])
  })

  test('leaves out what is on another branch, or was rolled back', () => {
    const rolledBack: TableMetadata = { ...table, 'current-snapshot-id': 2n }
    expect([1n, 2n, 3n].map((id) => isInAncestry(rolledBack, id))).toEqual([true, true, false])
  })

  test('ends where snapshots are their own ancestors', () => {
    const circle = { ...table, snapshots: [snapshot(3n, 2n), snapshot(2n, 3n)] }
    expect([...ancestry(circle)]).toHaveLength(2)
  })
})

describe('the summary of an append', () => {
  const files = [file(10, 100, [1]), file(5, 50, [2]), file(1, 10, [1]), file(1, 10, [1], 1)]

  test('of a first snapshot', () => {
    expect(appendSummary(files, undefined)).toEqual({
      operation: 'append',
      'added-data-files': '4',
      'added-records': '17',
      'added-files-size': '170',
      'changed-partition-count': '3',
      'total-records': '17',
      'total-files-size': '170',
      'total-data-files': '4',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
    })
  })

  test('goes on from the totals of its parent; what those do not tell stays unknown', () => {
    const parent = snapshot(1n, null, {
      operation: 'append',
      'total-records': '100',
      'total-delete-files': '2',
      'total-files-size': 'x',
    })
    const summary = appendSummary(files, parent)
    expect(summary).toMatchObject({ 'total-records': '117', 'total-delete-files': '2', 'added-records': '17' })
    expect(Object.keys(summary)).not.toContain('total-data-files')
    expect(Object.keys(summary)).not.toContain('total-files-size')
  })
})

test('a snapshot becomes the head of the main branch, whose settings stay', () => {
  const settings: TableMetadata = {
    ...EMPTY,
    refs: { main: { 'snapshot-id': 9n, type: 'branch', 'min-snapshots-to-keep': 5 } },
  }
  const table = withSnapshot(settings, snapshot(7n, null))
  expect(table).toMatchObject({
    'last-sequence-number': 7,
    'current-snapshot-id': 7n,
    'last-updated-ms': 1007,
    'snapshot-log': [{ 'snapshot-id': 7n, 'timestamp-ms': 1007 }],
    refs: { main: { 'snapshot-id': 7n, type: 'branch', 'min-snapshots-to-keep': 5 } },
  })
})
