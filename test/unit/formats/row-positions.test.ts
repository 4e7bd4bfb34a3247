import { gzipSync, zstdCompressSync } from 'node:zlib'
import { ByteWriter, ParquetWriter, parquetWriteBuffer } from 'hyparquet-writer'
import { fileRowsOf } from '#shared/formats/file-rows.ts'
import { rowPositions } from '#shared/formats/row-positions.ts'
import { defineTable, type FileFormat } from '#shared/pipeline/table.ts'
import { maybe } from '#test/helpers/columns.ts'

type Position = readonly [epoch: number, partition: number, offset: number, index: number]

function fileOf(format: FileFormat, positions: readonly Position[]): Uint8Array {
  const file = fileRowsOf(defineTable('t', [maybe('text', 'string')], { layout: 'files', format }))
  for (const [i, [_epoch, _kafka_partition, _offset, _index]] of positions.entries())
    file.append({ text: `line ${i} 😀`.repeat(i % 9), _epoch, _kafka_partition, _offset, _index, _timestamp: 0 })
  return file.encode({}).body
}

async function read(name: string, body: Uint8Array): Promise<Position[]> {
  const positions: Position[] = []
  for await (const { count, epoch, partition, offset, index } of rowPositions(name, body))
    for (let i = 0; i < count; i++) positions.push([epoch[i], partition[i], offset[i], index[i]] as unknown as Position)
  return positions
}

const POSITIONS: readonly Position[] = [
  [0, 0, 0, 0],
  [1, 7, 5, 0],
  [1, 7, 5, 1],
  [2 ** 31 - 1, 2 ** 31 - 1, Number.MAX_SAFE_INTEGER, 2 ** 31 - 1],
]

describe.each([
  ['parquet', 'parquet file invalid', 'parquet file invalid', 123_000],
  ['jsonl.gz', 'unexpected end of file', 'incorrect header check', 3000],
  ['jsonl.zst', 'unexpected end of file', 'Unknown frame descriptor', 3000],
] as const)('a file of %s', (format, cut, foreign, many) => {
  test('has the positions that were written, row by row', async () => {
    for (const positions of [[], POSITIONS]) {
      const file = fileOf(format, positions)
      expect(await read(`a/b.${format}`, file)).toEqual(positions)
      // A view of a larger buffer, as a store may give it.
      const within = Buffer.alloc(file.length + 20, 10)
      within.set(file, 7)
      expect(await read(`a/b.${format}`, within.subarray(7, 7 + file.length))).toEqual(positions)
    }
  })

  test('of more rows than come at a time', async () => {
    const offsets = Array.from({ length: many }, (_, i) => i >> 1)
    const file = fileOf(
      format,
      offsets.map((offset, i) => [0, 1, offset, i & 1] as const),
    )
    const found: number[] = []
    let batches = 0
    for await (const { count, offset } of rowPositions(`x.${format}`, file)) {
      for (let i = 0; i < count; i++) found.push(offset[i] as number)
      if (count > 0) batches += 1
    }
    expect(found.join()).toBe(offsets.join())
    expect(batches).toBeGreaterThan(1)
  })

  test('cannot be read when it is cut, or is something else', async () => {
    const file = fileOf(format, POSITIONS)
    await expect(read(`x.${format}`, file.subarray(0, -9))).rejects.toThrow(cut)
    await expect(read(`x.${format}`, Buffer.from('something else'))).rejects.toThrow(foreign)
  })
})

test.each([
  ['a line without the column', '{"_epoch":0,"_kafka_partition":0,"_index":0}\n', '_offset of its row 0 is undefined'],
  [
    'a text',
    '{"_epoch":"0","_kafka_partition":0,"_offset":0,"_index":0}\n',
    '_epoch of its row 0 is 0, no exact integer',
  ],
  ['a fraction', '{"_epoch":0,"_kafka_partition":0,"_offset":0,"_index":0.5}\n', '_index of its row 0 is 0.5'],
  ['null', '{"_epoch":0,"_kafka_partition":null,"_offset":0,"_index":0}\n', '_kafka_partition of its row 0 is null'],
  [
    'too great an offset',
    '{"_epoch":0,"_kafka_partition":0,"_offset":9007199254740992,"_index":0}\n',
    'no exact integer',
  ],
  [
    'a line that does not end',
    '{"_epoch":0,"_kafka_partition":0,"_offset":0,"_index":0}',
    'behind 0 rows, does not end',
  ],
  ['a line that is no object', '5\n', '_epoch of its row 0 is undefined'],
  ['a line that is no JSON', '{\n', 'JSON'],
])('lines with %s', async (_, text, message) => {
  await expect(read('x.jsonl.gz', gzipSync(text))).rejects.toThrow(message)
  await expect(read('x.jsonl.zst', zstdCompressSync(text))).rejects.toThrow(message)
})

test('the number of a bad row counts from the beginning of the file', async () => {
  const good = '{"_epoch":0,"_kafka_partition":0,"_offset":0,"_index":0}\n'.repeat(5000)
  await expect(read('x.jsonl.gz', gzipSync(`${good}{}\n`))).rejects.toThrow('_epoch of its row 5000 is')
})

const column = (name: string, data: unknown[]) => ({ name, data, type: 'INT64' as const })

test('Parquet without one of the columns, or with a null in it', async () => {
  const columnData = ['_epoch', '_kafka_partition', '_offset', '_index'].map((name) => column(name, [1n, 2n]))
  expect(await read('x.parquet', new Uint8Array(parquetWriteBuffer({ columnData })))).toHaveLength(2)
  const without = parquetWriteBuffer({ columnData: columnData.slice(0, 3) })
  await expect(read('x.parquet', new Uint8Array(without))).rejects.toThrow('_index')
  const holed = parquetWriteBuffer({ columnData: [...columnData.slice(0, 3), column('_index', [1n, null])] })
  await expect(read('x.parquet', new Uint8Array(holed))).rejects.toThrow(/_index of its row 1 is (null|undefined)/)
})

/** Parquet of two rows whose footer says something else. */
function miscounted(change: (writer: ParquetWriter) => void): Uint8Array {
  const names = ['_epoch', '_kafka_partition', '_offset', '_index']
  const bytes = new ByteWriter()
  const int64 = names.map((name) => ({ name, type: 'INT64', repetition_type: 'REQUIRED' }) as const)
  const writer = new ParquetWriter({ writer: bytes, schema: [{ name: 'root', num_children: 4 }, ...int64] })
  void writer.write({ columnData: names.map((name) => column(name, [1n, 2n])) })
  change(writer)
  void writer.finish()
  return bytes.getBytes()
}

test('Parquet whose footer counts other rows than there are', async () => {
  expect(
    await read(
      'x.parquet',
      miscounted(() => {}),
    ),
  ).toHaveLength(2)
  const inFile = miscounted((writer) => {
    writer.num_rows = 3n
  })
  await expect(read('x.parquet', inFile)).rejects.toThrow('its footer says 3 rows, its row groups 2')
  const inGroup = miscounted((writer) => {
    for (const group of writer.row_groups) group.num_rows = 3n
  })
  await expect(read('x.parquet', inGroup)).rejects.toThrow('its column _epoch holds 2 values for 3 rows')
})
