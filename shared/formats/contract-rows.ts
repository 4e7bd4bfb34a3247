/**
 * Rows of a Parquet file as the row contract gave them, so that they can be looked at and written anew without a change. Columns
 * are found by their field ids: a file may be older than a column's name, and written by any engine.
 */
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type FileMetaData, parquetMetadata, parquetReadObjects, type SchemaElement } from 'hyparquet'
import type * as z from 'zod'
import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { contractValue } from './contract-values.ts'

/** Snappy is built in; others than these no engine writes unless it is told to. */
const compressors = {
  ZSTD: (page: Uint8Array) => zstdDecompressSync(page),
  GZIP: (page: Uint8Array) => gunzipSync(page),
}

/**
 * The rows of a file, a row group at a time.
 * @param columns of the table, with their ids
 * @param contract of the fields that are the pipeline's own
 * @throws Error when the file cannot be read, lacks a column that must be there, or has one that the table does not
 */
export async function* contractRows(
  body: Uint8Array,
  columns: readonly Column[],
  contract: z.ZodObject,
): AsyncIterable<Row[]> {
  const file = body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength) as ArrayBuffer
  const metadata = parquetMetadata(file)
  const readers = readersOf(metadata, columns, contract)
  const names = readers.flatMap(({ stored }) => (stored === undefined ? [] : [stored]))
  const options = {
    file,
    metadata: withRawDecimals(metadata),
    columns: names,
    compressors,
    utf8: false,
    parsers: AS_STORED,
  }
  let rowStart = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    const rows = await parquetReadObjects({ ...options, rowStart, rowEnd })
    yield rows.map((row) => {
      const made: Row = {}
      for (const { name, stored, read } of readers) made[name] = stored === undefined ? null : read(row[stored])
      return made
    })
    rowStart = rowEnd
  }
}

interface ColumnReader {
  readonly name: string
  /** The column's name in the file; undefined when the file is older than the column. */
  readonly stored: string | undefined
  readonly read: (stored: unknown) => unknown
}

function readersOf({ schema }: FileMetaData, columns: readonly Column[], contract: z.ZodObject): ColumnReader[] {
  const [root, ...elements] = childrenOf(schema)
  const there = new Map(elements.map((tree) => [tree.element.field_id ?? tree.element.name, tree]))
  const readers = columns.map((column): ColumnReader => {
    const { id, name, type, nullable } = column
    const tree = there.get(id ?? name) ?? there.get(name)
    there.delete(tree?.element.field_id ?? name)
    if (tree === undefined && !nullable) throw new Error(`it has no column ${name}`)
    if (tree !== undefined) requireSameFields(tree, column)
    return { name, stored: tree?.element.name, read: contractValue(type, contract.shape[name] as z.core.$ZodType) }
  })
  const [more] = there.values()
  if (more !== undefined) throw new Error(`its column ${more.element.name} is none of the table ${root?.element.name}`)
  return readers
}

interface ElementTree {
  readonly element: SchemaElement
  readonly children: readonly ElementTree[]
}

/** The root, and the trees of its columns. */
function childrenOf(schema: readonly SchemaElement[]): ElementTree[] {
  let next = 0
  const tree = (): ElementTree => {
    const element = schema[next++] as SchemaElement
    return { element, children: Array.from({ length: element.num_children ?? 0 }, tree) }
  }
  const root = tree()
  return [root, ...root.children]
}

/** Fields within a column are read by their names: they must be those of now. */
function requireSameFields(tree: ElementTree, { name, type }: Column): void {
  const [within] = tree.children
  if (type.kind === 'list') requireSameFields(within?.children[0] ?? tree, type.element)
  if (type.kind === 'map') requireSameFields(within?.children[1] ?? tree, type.value)
  if (type.kind !== 'struct') return
  for (const field of type.fields) {
    const child = tree.children.find(({ element }) => element.name === field.name)
    const isSame = child !== undefined && (child.element.field_id ?? field.id) === field.id
    if (!isSame) throw new Error(`it was written before the column ${name} had its field ${field.name}`)
    requireSameFields(child, field)
  }
  if (tree.children.length > type.fields.length) throw new Error(`its column ${name} has fields that the table has not`)
}

/** hyparquet makes doubles of decimals: not where it does not know them. */
function withRawDecimals(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    if (element.converted_type !== 'DECIMAL' && element.logical_type?.type !== 'DECIMAL') return element
    const { converted_type: _converted, logical_type: _logical, ...raw } = element
    return raw
  })
  return { ...metadata, schema }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Every instant in microseconds, whatever the unit of the file; days as they are. */
const AS_STORED = {
  timestampFromMilliseconds: (ms: bigint) => ms * 1000n,
  timestampFromMicroseconds: (us: bigint) => us,
  dateFromDays: (days: number) => days,
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && utf8.decode(bytes),
} as unknown as NonNullable<Parameters<typeof parquetReadObjects>[0]['parsers']>
