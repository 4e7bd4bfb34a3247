import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { LocatedStore } from '#shared/lake/iceberg/located-store.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'

const at = (url: string): LocatedStore => new LocatedStore(Object.assign(new MemoryStore(), { url }))

test.each([
  ['s3://bucket/', 's3://bucket/tables/t/a%2Fb c#é.parquet'],
  ['s3://bucket/some/prefix', 's3://bucket/some/prefix/tables/t/a%2Fb c#é.parquet'],
  ['file:///a%20b/%C3%A9', 'file:///a b/é/tables/t/a%2Fb c#é.parquet'],
])('an object below %s is at %s', (url, location) => {
  const located = at(url)
  expect(located.locate('tables/t/a%2Fb c#é.parquet')).toBe(location)
  expect(located.keyOf(location)).toBe('tables/t/a%2Fb c#é.parquet')
})

test('other writers write the same in other ways', () => {
  expect(at('file:///a').keyOf('file:/a/k')).toBe('k')
  expect(at('file:///a').keyOf('/a/k')).toBe('k')
  expect(at('s3://b/p').keyOf('s3a://b/p/k')).toBe('k')
  expect(at('s3://b/p').keyOf('s3n://b/p/k')).toBe('k')
})

test.each(['/b/p/k', 's3://other/p/k', 's3://b/px/k', 's3://b/p', 'file:///b/p/k', 'k'])(
  '%s lies outside',
  (location) => {
    expect(() => at('s3://b/p').keyOf(location)).toThrow(`${location} lies outside the lake s3://b/p`)
  },
)

test('what is put is read, and what is not there is said to be missing', async () => {
  const located = at('s3://b/p')
  await located.put('s3://b/p/k', Buffer.of(7))
  expect(await located.read('s3a://b/p/k')).toEqual(Uint8Array.of(7))
  await expect(located.read('s3://b/p/none')).rejects.toThrow('s3://b/p/none is named by a table, but is not there')
})

test("a directory's URL is taken as it is", () => {
  expect(new LocatedStore(new DirectoryStore('/tmp/x y')).locate('k')).toBe('file:///tmp/x y/k')
})
