/** Headers of pages (parquet.thrift, `PageHeader`) in Thrift's compact protocol (thrift-compact-protocol.md, "Struct"). */
import type { ByteWriter } from 'hyparquet-writer'

/** Types of the compact protocol. */
const I32 = 5
const STRUCT = 12
const STOP = 0

/** `PageType` and `Encoding` of parquet.thrift. */
const DICTIONARY_PAGE = 2
const DATA_PAGE_V2 = 3
const ENCODINGS = { PLAIN: 0, RLE_DICTIONARY: 8 } as const

/** Bytes of a page behind its header. */
export interface PageSizes {
  readonly uncompressed: number
  readonly compressed: number
}

export interface DataPage extends PageSizes {
  readonly rows: number
  readonly nulls: number
  readonly encoding: keyof typeof ENCODINGS
  /** Bytes of the definition levels, which are part of the page and never compressed. */
  readonly levels: number
}

export function writeDictionaryHeader(writer: ByteWriter, page: PageSizes & { readonly entries: number }): void {
  writeFields(writer, [DICTIONARY_PAGE, page.uncompressed, page.compressed])
  writer.appendUint8((4 << 4) | STRUCT) // field 7, behind field 3
  writeFields(writer, [page.entries, ENCODINGS.PLAIN])
  writer.appendUint8(STOP)
  writer.appendUint8(STOP)
}

/** Of a column that lies in no other: a row is a value, and there are no repetition levels. */
export function writeDataHeader(writer: ByteWriter, page: DataPage): void {
  writeFields(writer, [DATA_PAGE_V2, page.uncompressed, page.compressed])
  writer.appendUint8((5 << 4) | STRUCT) // field 8, behind field 3
  // Whether the page is compressed in the way of its chunk is the field behind these: true when it is left out.
  writeFields(writer, [page.rows, page.nulls, page.rows, ENCODINGS[page.encoding], page.levels, 0])
  writer.appendUint8(STOP)
  writer.appendUint8(STOP)
}

/** The first fields of a struct, all of them integers. */
function writeFields(writer: ByteWriter, values: readonly number[]): void {
  for (const value of values) {
    writer.appendUint8((1 << 4) | I32)
    writer.appendZigZag(value)
  }
}
