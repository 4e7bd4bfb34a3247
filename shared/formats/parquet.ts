import { constants, zstdCompressSync } from 'node:zlib'
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, parquetWrite } from 'hyparquet-writer'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Row } from '#shared/pipeline/outcome.ts'

/** Rows of a row group: large enough to compress well, small enough to be read in parallel. */
const ROW_GROUP_ROWS = 122_880
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Rows that become one Parquet file, kept as columns from the moment they are appended. */
export class ParquetRows {
  readonly #columns: readonly Column[]
  readonly #append: Appender
  readonly #values: readonly unknown[][]
  #count = 0

  /** @param columns in the order of the file's columns; a row may hold more fields, which are left out */
  constructor(columns: readonly Column[]) {
    this.#columns = columns
    this.#append = appenderOf(columns)
    this.#values = columns.map(() => [])
  }

  /** How many rows there are. */
  get count(): number {
    return this.#count
  }

  append(row: Row): void {
    this.#append(this.#values, row)
    this.#count += 1
  }

  /** A column's values in the form in which they are stored. */
  column(name: string): readonly unknown[] {
    return this.#values[this.#columns.findIndex((column) => column.name === name)] ?? []
  }

  /**
   * The file, zstd level 1, with statistics for each column.
   * @param metadata key-value metadata of the footer
   * @throws InletError ENCODE_FAILED when a value does not fit its column: the contract let it through
   */
  encode(metadata: Readonly<Record<string, string>>): Uint8Array {
    const writer = new ByteWriter()
    try {
      parquetWrite({
        writer,
        schema: schemaOf(this.#columns),
        columnData: this.#columns.map(({ name }, i) => ({ name, data: this.#values[i] ?? [] })),
        codec: 'ZSTD',
        compressors: { ZSTD: (bytes) => zstdCompressSync(bytes, ZSTD) },
        rowGroupSize: ROW_GROUP_ROWS,
        kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
        createdBy: 'inlet',
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new InletError('ENCODE_FAILED', `${this.#count} rows could not be encoded as Parquet: ${reason}`, {
        cause: error,
      })
    }
    return writer.getBytes()
  }
}

/** The schema of a file: the root, then every column depth first (Parquet format, `SchemaElement`). */
function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(elementsOf)]
}

function elementsOf({ name, type, nullable }: Column): SchemaElement[] {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED'
  switch (type.kind) {
    case 'string':
      return [{ name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }]
    case 'binary':
      return [{ name, repetition_type, type: 'BYTE_ARRAY' }]
    case 'boolean':
      return [{ name, repetition_type, type: 'BOOLEAN' }]
    case 'int32':
      return [{ name, repetition_type, type: 'INT32' }]
    case 'int64':
      return [{ name, repetition_type, type: 'INT64' }]
    case 'float':
      return [{ name, repetition_type, type: 'FLOAT' }]
    case 'double':
      return [{ name, repetition_type, type: 'DOUBLE' }]
    case 'timestamp':
      return [
        {
          name,
          repetition_type,
          type: 'INT64',
          converted_type: 'TIMESTAMP_MICROS',
          logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
        },
      ]
    case 'list':
      // The three-level form (Parquet format, LogicalTypes.md, "Lists").
      return [
        { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf(type.element),
      ]
    case 'struct':
      return [{ name, repetition_type, num_children: type.fields.length }, ...type.fields.flatMap(elementsOf)]
  }
}

type Appender = (values: readonly unknown[][], row: Row) => void

const appenders = new WeakMap<readonly Column[], Appender>()

/**
 * A function that appends a row to columns, generated once per table: property names that stand in the source are read
 * four times as fast as names that are looked up in a loop.
 */
function appenderOf(columns: readonly Column[]): Appender {
  const made = appenders.get(columns)
  if (made !== undefined) return made
  const stores = columns.map(({ type }) => storedForm(type))
  const lines = columns.map(({ name }, i) => {
    const value =
      stores[i] === asIs ? 'value ?? null' : `value === null || value === undefined ? null : stores[${i}](value)`
    return `value = row[${JSON.stringify(name)}]; values[${i}].push(${value})`
  })
  // oxlint-disable-next-line no-implied-eval -- of column names, as string literals
  const generate = new Function('stores', `return (values, row) => { let value\n${lines.join('\n')} }`)
  const appender = generate(stores) as Appender
  appenders.set(columns, appender)
  return appender
}

const asIs = (value: unknown): unknown => value

/** A row's value → what the encoder takes: 64-bit integers as bigint, instants as microseconds. */
function storedForm(type: ColumnType): (value: unknown) => unknown {
  switch (type.kind) {
    case 'int64':
      return (value) => BigInt(value as number)
    case 'timestamp':
      return microseconds
    case 'list': {
      const store = nullSafe(storedForm(type.element.type))
      return (value) => (value as unknown[]).map(store)
    }
    case 'struct': {
      const fields = type.fields.map((field) => [field.name, nullSafe(storedForm(field.type))] as const)
      return (value) => Object.fromEntries(fields.map(([name, store]) => [name, store((value as Row)[name])]))
    }
    default:
      return asIs
  }
}

/** Milliseconds that are exact in a double when multiplied: until the year 2255. */
const EXACT_MS = 9_000_000_000_000

function microseconds(value: unknown): bigint {
  const ms = Number(value)
  return Math.abs(ms) < EXACT_MS ? BigInt(ms * 1000) : BigInt(ms) * 1000n
}

function nullSafe(store: (value: unknown) => unknown): (value: unknown) => unknown {
  return (value) => (value === null || value === undefined ? null : store(value))
}
