import { contentFileOf, type FilePlacement } from '#shared/lake/iceberg/data-file.ts'
import type { DataFile } from '#shared/pipeline/commit.ts'

const PLACEMENT: FilePlacement = {
  locate: (key) => `s3://lake/${key}`,
  partitionColumns: (spec) => (spec === 2 ? [{ id: 1000, name: 'day', type: 'date' }] : []),
  sortOrder: 1,
}
const FILE: DataFile = {
  table: 't',
  path: 'tables/t/data/day=2013-01-01/a%2Fb.parquet',
  partition: { day: 15_706 },
  rows: 10,
  bytes: 500,
  sha256: 'ab',
  spec: 2,
  statistics: {
    splits: [4, 300],
    fields: [
      [1, 100, 10, 0, null, 'AAAA', null],
      [2, 200, 10, 3, 1, null, null],
      [5, 50, 10, 10, 0, '', '/w=='],
    ],
  },
}

test('a file is what its commit says of it', () => {
  expect(contentFileOf(FILE, PLACEMENT)).toEqual({
    content: 'data',
    location: 's3://lake/tables/t/data/day=2013-01-01/a%2Fb.parquet',
    format: 'PARQUET',
    spec: 2,
    partition: [15_706],
    rows: 10,
    bytes: 500,
    columnSizes: new Map([
      [1, 100],
      [2, 200],
      [5, 50],
    ]),
    valueCounts: new Map([
      [1, 10],
      [2, 10],
      [5, 10],
    ]),
    nullCounts: new Map([
      [1, 0],
      [2, 3],
      [5, 10],
    ]),
    nanCounts: new Map([
      [2, 1],
      [5, 0],
    ]),
    lowerBounds: new Map([
      [1, Buffer.of(0, 0, 0)],
      // An empty text is a bound.
      [5, Buffer.of()],
    ]),
    upperBounds: new Map([[5, Buffer.of(0xff)]]),
    splits: [4, 300],
    sortOrder: 1,
    keyMetadata: null,
    equalityIds: null,
    referencedDataFile: null,
  })
})

test('a file from before its table had a lock is of the first spec, and nothing is known of its columns', () => {
  const { spec: _, statistics: __, ...older } = FILE
  const file = contentFileOf({ ...older, partition: {} }, PLACEMENT)
  expect(file).toMatchObject({ spec: 0, partition: [], splits: null, columnSizes: new Map(), lowerBounds: new Map() })
})

test('a partition of another spec, and files that are no Parquet, are refused', () => {
  expect(() => contentFileOf({ ...FILE, spec: 0 }, PLACEMENT)).toThrow('is not of an unpartitioned table')
  expect(() => contentFileOf({ ...FILE, path: 'a.jsonl.gz' }, PLACEMENT)).toThrow('a.jsonl.gz: Iceberg')
})
