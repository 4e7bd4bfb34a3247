import type { ColumnChunk, ParquetType } from 'hyparquet'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { type Bounds, type ChunkValues, isDictionarySmaller, writeChunk } from './column-chunk.ts'
import type { ColumnValues, ParquetFile } from './column-values.ts'
import { type Distinct, distinctValues } from './distinct-values.ts'
import { grown } from './growth.ts'
import { Presence } from './presence.ts'

type Numbers = Int32Array | Float32Array | Float64Array | BigInt64Array

/** Numbers of 32 or 64 bits, as the very bits of the file: it is little-endian, like every machine that Node.js is built for. */
export class FixedValues implements ColumnValues {
  readonly #column: Column
  readonly #type: ParquetType
  readonly #none: Numbers
  readonly #presence: Presence
  /** As long as all values are the same, which those of Inlet's own columns often are, there is one. */
  #values: Numbers
  #isSame = true
  #count = 0

  constructor(column: Column) {
    this.#column = column
    const [type, none] = physicalOf(column.type)
    this.#type = type
    this.#none = none
    this.#values = none
    this.#presence = new Presence(column.nullable)
  }

  get memory(): number {
    return this.#values.byteLength + this.#presence.memory
  }

  push(stored: unknown): void {
    this.#presence.push(stored !== null)
    if (stored === null) return
    if (this.#isSame && this.#count > 0) {
      if (Object.is(stored, this.#values[0])) {
        this.#count += 1
        return
      }
      this.#values = this.#spread()
      this.#isSame = false
    }
    if (this.#count >= this.#values.length) this.#values = grown(this.#values)
    this.#values[this.#count] = stored as never
    this.#count += 1
  }

  pop(): void {
    if (this.#presence.pop()) this.#count -= 1
  }

  chunks({ bytes }: ParquetFile): readonly ColumnChunk[] {
    const { name } = this.#column
    const values = (this.#isSame && this.#count > 0 ? this.#spread() : this.#values).subarray(0, this.#count)
    const distinct = distinctValues(wordsOf(values), values.length)
    const bounds = boundsOf(values, distinct)
    const chunk = encoded(values, distinct, this.#presence.rows)
    return [writeChunk(bytes, { name, type: this.#type }, this.#presence, chunk, bounds)]
  }

  /** All values that are the same, one behind the other. */
  #spread(): Numbers {
    const values = grown(this.#none, this.#count)
    return values.fill(this.#values[0] as never)
  }
}

function physicalOf({ kind }: ColumnType): [ParquetType, Numbers] {
  switch (kind) {
    case 'float':
      return ['FLOAT', new Float32Array(0)]
    case 'double':
      return ['DOUBLE', new Float64Array(0)]
    case 'int64':
    case 'timestamp':
      return ['INT64', new BigInt64Array(0)]
    default:
      return ['INT32', new Int32Array(0)]
  }
}

function encoded(values: Numbers, distinct: Distinct | undefined, rows: number): ChunkValues {
  const plain = { pages: [{ rows, bytes: bytesOf(values) }] }
  if (distinct === undefined) return plain
  const { firsts, codes } = distinct
  const entries = values.slice(0, firsts.length)
  for (let i = 0; i < firsts.length; i++) entries[i] = values[firsts[i] as number] as never
  const isSmaller = isDictionarySmaller(entries.byteLength, firsts.length, codes.length, values.byteLength)
  return isSmaller ? { dictionary: bytesOf(entries), entries: firsts.length, codes } : plain
}

function boundsOf(values: Numbers, distinct: Distinct | undefined): Bounds {
  const places = distinct?.firsts ?? Array.from(values.keys())
  if (values instanceof BigInt64Array) return bigBounds(values, places)
  if (values instanceof Int32Array) return numberBounds(values, places)
  const { min, max } = numberBounds(values, places)
  let nans = 0
  for (const value of values) if (Number.isNaN(value)) nans += 1
  // A zero may stand for the other one (parquet.thrift, `TypeDefinedOrder`).
  return { min: min === 0 ? -0 : min, max: max === 0 ? 0 : max, nans }
}

function numberBounds(values: Exclude<Numbers, BigInt64Array>, places: readonly number[]) {
  let min: number | undefined
  let max: number | undefined
  for (const place of places) {
    const value = values[place] as number
    if (Number.isNaN(value)) continue
    if (min === undefined || value < min) min = value
    if (max === undefined || value > max) max = value
  }
  return { min, max }
}

/** Compared by their halves: no bigint is made but the two that are told. */
function bigBounds(values: BigInt64Array, places: readonly number[]): Bounds {
  const words = wordsOf(values)
  const isLess = (a: number, b: number): boolean => {
    const [high, other] = [words[2 * a + 1] as number, words[2 * b + 1] as number]
    return high === other ? (words[2 * a] as number) >>> 0 < (words[2 * b] as number) >>> 0 : high < other
  }
  let least = places[0] ?? 0
  let greatest = least
  for (const place of places) {
    if (isLess(place, least)) least = place
    if (isLess(greatest, place)) greatest = place
  }
  return { min: values[least], max: values[greatest] }
}

function wordsOf(values: Numbers): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength / Int32Array.BYTES_PER_ELEMENT)
}

function bytesOf(values: Numbers): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
