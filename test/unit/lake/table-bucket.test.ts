import { placeInTableBucket } from '#shared/lake/table-bucket.ts'

test.each([
  ['s3://6b1f--table-s3/data/day=1/x.parquet', { bucket: 's3://6b1f--table-s3', key: 'data/day=1/x.parquet' }],
  ['s3://6b1f--table-s3/', { bucket: 's3://6b1f--table-s3', key: '' }],
  ['s3://6b1f--table-s3', { bucket: 's3://6b1f--table-s3', key: '' }],
  // Keys of the lake, and other buckets: a lake that was copied names the tables of the old one by their URIs.
  ['tables/flights/data/x.parquet', undefined],
  ['s3://lake/tables/flights', undefined],
  ['s3://6b1f--table-s3x/data/x.parquet', undefined],
  ['s3://lake/6b1f--table-s3/data/x.parquet', undefined],
  ['tables/s3://6b1f--table-s3/x', undefined],
  ['file:///lake/6b1f--table-s3/x', undefined],
])('%s', (path, place) => {
  expect(placeInTableBucket(path)).toEqual(place)
})
