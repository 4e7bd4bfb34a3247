import { zstdDecompressSync } from 'node:zlib'
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet'
import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { type Form, hex, signedOf, type StoredRow, storedRows } from './stored.ts'

/** Every value of a Parquet file exactly as it is stored, read by hyparquet. */
export async function readWithHyparquet(bytes: Uint8Array, columns: readonly Column[]): Promise<StoredRow[]> {
  const file = Uint8Array.from(bytes).buffer
  const metadata = withoutDecimals(parquetMetadata(file))
  const compressors = { ZSTD: (page: Uint8Array) => zstdDecompressSync(page) }
  const rows = await parquetReadObjects({ file, metadata, compressors, utf8: false, parsers: AS_STORED })
  return storedRows(rows as Row[], columns, HYPARQUET)
}

/** hyparquet makes doubles of decimals; what it is not told of it leaves as it is. */
function withoutDecimals(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map(({ converted_type, ...element }) =>
    converted_type === undefined || converted_type === 'DECIMAL' ? element : { ...element, converted_type },
  )
  return { ...metadata, schema }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const same = <T>(value: T): T => value

/** Rich types stay what they are stored as: `Date` has neither microseconds nor all their range. */
const AS_STORED = {
  timestampFromMilliseconds: same,
  timestampFromMicroseconds: same,
  dateFromDays: same,
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
} as unknown as NonNullable<Parameters<typeof parquetReadObjects>[0]['parsers']>

const HYPARQUET: Form = {
  items: (list) => list as unknown[],
  entries: (map) => Object.entries(map as object),
  field: (struct, name) => (struct as Row)[name],
  scalar: (value, type) => {
    if (type.kind === 'decimal') return value instanceof Uint8Array ? signedOf(value) : BigInt(value as number)
    if (type.kind === 'uuid') return (value as string).replaceAll('-', '')
    return value instanceof Uint8Array ? hex(value) : (value as string | number | bigint | boolean)
  },
}
