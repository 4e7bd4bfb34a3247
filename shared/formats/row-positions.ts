import {
  createGunzip,
  createZstdDecompress,
  type Gunzip,
  gunzipSync,
  type ZstdDecompress,
  zstdDecompressSync,
} from 'node:zlib'
import { type AsyncBuffer, parquetScan } from 'hyparquet'

/** The positions of some rows of a data file, column by column: which record each comes from, and its number among that record's rows. */
export interface RowPositions {
  readonly count: number
  readonly epoch: ArrayLike<number>
  readonly partition: ArrayLike<number>
  readonly offset: ArrayLike<number>
  readonly index: ArrayLike<number>
}

const COLUMNS = { epoch: '_epoch', partition: '_kafka_partition', offset: '_offset', index: '_index' } as const
type Part = keyof typeof COLUMNS

const CHUNK_BYTES = 1 << 16
const NEW_LINE = 0x0a

/**
 * The positions of all rows of a data file, in the order of the rows. They come a row group, or some lines, at a time, so
 * that a file takes little more memory than its bytes.
 * @param name its ending tells the format
 * @throws Error when it cannot be read to its end, or a position is no integer
 */
export function rowPositions(name: string, body: Uint8Array): AsyncIterable<RowPositions> {
  if (name.endsWith('.jsonl.gz')) return linePositions(body, createGunzip({ chunkSize: CHUNK_BYTES }))
  if (name.endsWith('.jsonl.zst')) return linePositions(body, createZstdDecompress({ chunkSize: CHUNK_BYTES }))
  return parquetPositions(body)
}

async function* parquetPositions(body: Uint8Array): AsyncIterable<RowPositions> {
  const file: AsyncBuffer = {
    byteLength: body.byteLength,
    slice: (start, end) => new Uint8Array(body.subarray(start, end)).buffer,
  }
  // Snappy is built in; others than these no engine writes unless it is told to.
  const compressors = {
    ZSTD: (page: Uint8Array) => zstdDecompressSync(page),
    GZIP: (page: Uint8Array) => gunzipSync(page),
  }
  const scan = await parquetScan({ file, columns: Object.values(COLUMNS), compressors })
  let rows = 0
  for (const { rowStart, rowEnd } of scan.ranges) {
    const count = rowEnd - rowStart
    const read = async (part: Part): Promise<Float64Array> => {
      const values = await scan.readColumn({ column: COLUMNS[part], rowStart, rowEnd })
      if (values.length !== count)
        throw new Error(`its column ${COLUMNS[part]} holds ${values.length} values for ${count} rows`)
      return integersOf(values, COLUMNS[part], rowStart)
    }
    const [epoch, partition] = [await read('epoch'), await read('partition')]
    yield { count, epoch, partition, offset: await read('offset'), index: await read('index') }
    rows += count
  }
  const { num_rows } = scan.metadata
  if (rows !== Number(num_rows)) throw new Error(`its footer says ${num_rows} rows, its row groups ${rows}`)
}

/** Decompressed as a stream: lines compress well, and all of them at once could be many times the file. */
async function* linePositions(body: Uint8Array, decompress: Gunzip | ZstdDecompress): AsyncIterable<RowPositions> {
  decompress.end(body)
  let begun: Buffer = Buffer.alloc(0)
  let before = 0
  for await (const chunk of decompress as AsyncIterable<Buffer>) {
    const text = begun.length === 0 ? chunk : Buffer.concat([begun, chunk])
    const end = text.lastIndexOf(NEW_LINE) + 1
    begun = text.subarray(end)
    if (end === 0) continue
    const lines = text.toString('utf8', 0, end - 1).split('\n')
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const first = before
    const read = (part: Part): Float64Array =>
      integersOf(
        rows.map((row) => row[COLUMNS[part]]),
        COLUMNS[part],
        first,
      )
    yield {
      count: rows.length,
      epoch: read('epoch'),
      partition: read('partition'),
      offset: read('offset'),
      index: read('index'),
    }
    before += rows.length
  }
  if (begun.length > 0) throw new Error(`its last line, behind ${before} rows, does not end`)
}

/** 64-bit integers are bigint to hyparquet; offsets are exact as numbers. */
function integersOf(values: ArrayLike<unknown>, column: string, before: number): Float64Array {
  const integers = new Float64Array(values.length)
  for (let i = 0; i < integers.length; i++) {
    const value = values[i]
    const integer = typeof value === 'bigint' ? Number(value) : value
    if (typeof integer !== 'number' || !Number.isSafeInteger(integer))
      throw new Error(`${column} of its row ${before + i} is ${String(value)}, no exact integer`)
    integers[i] = integer
  }
  return integers
}
