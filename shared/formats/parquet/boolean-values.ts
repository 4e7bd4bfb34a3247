import type { ColumnChunk } from 'hyparquet'
import type { Column } from '#shared/pipeline/columns.ts'
import { writeChunk } from './column-chunk.ts'
import type { ColumnValues, ParquetFile } from './column-values.ts'
import { grown } from './growth.ts'
import { Presence } from './presence.ts'

/**
 * True and false, a bit each in the file, the lowest first (Parquet format, Encodings.md, "Plain"). Not run-length encoded, which
 * Iceberg 1.10 cannot read into Spark's vectors.
 */
export class BooleanValues implements ColumnValues {
  readonly #column: Column
  readonly #presence: Presence
  #values = new Uint8Array(0)
  #count = 0

  constructor(column: Column) {
    this.#column = column
    this.#presence = new Presence(column.nullable)
  }

  get memory(): number {
    return this.#values.byteLength + this.#presence.memory
  }

  push(stored: unknown): void {
    this.#presence.push(stored !== null)
    if (stored === null) return
    if (this.#count === this.#values.length) this.#values = grown(this.#values)
    this.#values[this.#count] = stored === true ? 1 : 0
    this.#count += 1
  }

  pop(): void {
    if (this.#presence.pop()) this.#count -= 1
  }

  chunks({ bytes }: ParquetFile): readonly ColumnChunk[] {
    const { name } = this.#column
    const values = this.#values.subarray(0, this.#count)
    const packed = new Uint8Array(Math.ceil(values.length / 8))
    for (const [i, value] of values.entries()) packed[i >> 3] = (packed[i >> 3] as number) | (value << (i & 7))
    const bounds = { min: boundOf(values, 0), max: boundOf(values, 1) }
    const plain = { pages: [{ rows: this.#presence.rows, bytes: packed }] }
    return [writeChunk(bytes, { name, type: 'BOOLEAN' }, this.#presence, plain, bounds)]
  }
}

/** @param sought the value that is the bound if it is there */
function boundOf(values: Uint8Array, sought: 0 | 1): boolean | undefined {
  if (values.length === 0) return undefined
  return values.includes(sought) === (sought === 1)
}
