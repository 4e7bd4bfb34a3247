import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { fileRowsOf } from '#shared/formats/file-rows.ts'
import { countRows } from '#shared/formats/row-count.ts'
import { defineTable, type FileFormat } from '#shared/pipeline/table.ts'
import { maybe } from '#test/helpers/columns.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'

const AUDIT = { _epoch: 0, _partition: 1, _offset: 2, _index: 0, _timestamp: 0 }
const LINE = '{"a":"x","_epoch":0,"_partition":1,"_offset":2,"_index":0,"_timestamp":"1970-01-01T00:00:00.000000Z"}\n'

function fileOf(format: FileFormat, rows = 1): Uint8Array {
  const file = fileRowsOf(defineTable('t', [maybe('a', 'string')], { format }))
  for (let i = 0; i < rows; i++) file.append({ a: 'x', ...AUDIT })
  expect(file.count).toBe(rows)
  return file.encode({ k: 'v' })
}

test('a table of Parquet gets Parquet', async () => {
  const [row] = await readParquet(fileOf('parquet'))
  expect(row).toMatchObject({ a: 'x', _offset: 2n })
})

test('a table of JSON Lines gets them, in its compression', () => {
  expect(gunzipSync(fileOf('jsonl.gz')).toString()).toBe(LINE)
  expect(zstdDecompressSync(fileOf('jsonl.zst')).toString()).toBe(LINE)
})

test.each([
  ['parquet', 'a/b.parquet'],
  ['jsonl.gz', 'a/b.jsonl.gz'],
  ['jsonl.zst', 'a/b.jsonl.zst'],
] as const)('the rows of a file of %s are counted by what is in it', (format, name) => {
  for (const rows of [0, 1, 3]) {
    const file = fileOf(format, rows)
    expect(countRows(name, file)).toBe(rows)
    // A view of a larger buffer, as a store may give it.
    const within = new Uint8Array(file.length + 20).fill(10)
    within.set(file, 7)
    expect(countRows(name, within.subarray(7, 7 + file.length))).toBe(rows)
  }
})
