import type { ColumnChunk } from 'hyparquet'
import type { ColumnSource } from 'hyparquet-writer'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { ColumnValues, ParquetFile } from './column-values.ts'

/** Bytes of memory of a value that is no text and holds no others, and of what holds them, about. */
const VALUE_BYTES = 24

/** Values that the library encodes: those that hold others, and those of types that few tables have. */
export class NestedValues implements ColumnValues {
  readonly #column: Column
  readonly #values: unknown[] = []
  #bytes = 0

  constructor(column: Column) {
    this.#column = column
  }

  get memory(): number {
    return this.#bytes
  }

  push(stored: unknown): void {
    this.#values.push(stored)
    this.#bytes += memoryOf(stored)
  }

  pop(): void {
    this.#bytes -= memoryOf(this.#values.pop())
  }

  chunks({ writer }: ParquetFile): readonly ColumnChunk[] {
    const values = this.#values
    // The library writes whole row groups: this one has only our column, whose chunks are put into the group of all.
    void writer.write({ columnData: [sourceOf(this.#column, values)], rowGroupSize: values.length })
    writer.num_rows -= BigInt(values.length)
    return writer.row_groups.pop()?.columns ?? []
  }
}

function memoryOf(stored: unknown): number {
  if (typeof stored === 'string') return VALUE_BYTES + 2 * stored.length
  if (typeof stored !== 'object' || stored === null) return VALUE_BYTES
  if (stored instanceof Uint8Array) return 4 * VALUE_BYTES + stored.byteLength
  let sum = VALUE_BYTES
  for (const part of Object.values(stored)) sum += memoryOf(part)
  return sum
}

/** The values of a column, and how to encode them where the library would not choose well by itself. */
function sourceOf({ name, type }: Column, data: unknown[]): ColumnSource {
  // hyparquet-writer 0.17 looks values up in a Map to make a dictionary, and to a Map −0 and 0 are one value.
  if (hasFloats(type) && data.some((value) => holdsNegativeZero(value, type))) return { name, data, encoding: 'PLAIN' }
  return { name, data }
}

function hasFloats(type: ColumnType): boolean {
  switch (type.kind) {
    case 'list':
      return hasFloats(type.element.type)
    case 'map':
      return hasFloats(type.value.type)
    case 'struct':
      return type.fields.some((field) => hasFloats(field.type))
    default:
      return type.kind === 'float' || type.kind === 'double'
  }
}

function holdsNegativeZero(stored: unknown, type: ColumnType): boolean {
  if (stored === null) return false
  switch (type.kind) {
    case 'float':
    case 'double':
      return Object.is(stored, -0)
    case 'list':
      return (stored as unknown[]).some((item) => holdsNegativeZero(item, type.element.type))
    case 'map':
      return (stored as { value: unknown }[]).some(({ value }) => holdsNegativeZero(value, type.value.type))
    case 'struct':
      return type.fields.some((field) => holdsNegativeZero((stored as Row)[field.name], field.type))
    default:
      return false
  }
}
