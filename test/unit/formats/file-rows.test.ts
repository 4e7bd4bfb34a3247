import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { fileRowsOf } from '#shared/formats/file-rows.ts'
import { countRows } from '#test/helpers/row-count.ts'
import { defineTable, type FileFormat } from '#shared/pipeline/table.ts'
import { maybe } from '#test/helpers/columns.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'

const AUDIT = { _epoch: 0, _kafka_partition: 1, _offset: 2, _index: 0, _timestamp: 0 }
const LINE =
  '{"a":"x","_epoch":0,"_kafka_partition":1,"_offset":2,"_index":0,"_timestamp":"1970-01-01T00:00:00.000000Z"}\n'

function fileOf(format: FileFormat, rows = 1): Uint8Array {
  const file = fileRowsOf(defineTable('t', [maybe('a', 'string')], { layout: 'files', format }))
  for (let i = 0; i < rows; i++) file.append({ a: 'x', ...AUDIT })
  expect(file.count).toBe(rows)
  return file.encode({ k: 'v' }).body
}

test('a table of Parquet gets Parquet', async () => {
  const [row] = await readParquet(fileOf('parquet'))
  expect(row).toMatchObject({ a: 'x', _offset: 2n })
})

test('a table of JSON Lines gets them, in its compression', () => {
  expect(gunzipSync(fileOf('jsonl.gz')).toString()).toBe(LINE)
  expect(zstdDecompressSync(fileOf('jsonl.zst')).toString()).toBe(LINE)
})

test.each(['parquet', 'jsonl.gz', 'jsonl.zst'] as const)(
  'a file of %s holds what was appended, by its own account',
  (format) => {
    for (const rows of [0, 1, 3]) expect(countRows(`a/b.${format}`, fileOf(format, rows))).toBe(rows)
  },
)
