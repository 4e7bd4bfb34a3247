import fc from 'fast-check'
import { ParquetRows } from '#shared/formats/parquet.ts'
import { compareValues, fromBytes, type SingleValue } from '#shared/lake/iceberg/single-value.ts'
import { fieldsById, structOf } from '#shared/lake/iceberg/schema.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import { arbitraryTable } from '#test/helpers/arbitrary-tables.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import type { Stored } from '#test/helpers/stored.ts'

/** The values of each field that lies in no list and no map, by its id; of a struct that is null they are null. */
function leafValues(
  columns: readonly Column[],
  values: readonly (Stored | undefined)[],
  into: Map<number, Stored[]>,
): void {
  for (const { id = 0, name, type } of columns) {
    const own = values.map((value) => (value as Readonly<Record<string, Stored>> | null)?.[name] ?? null)
    if (type.kind === 'struct') leafValues(type.fields, own, into)
    else if (type.kind !== 'list' && type.kind !== 'map') into.set(id, own)
  }
}

/** A value as bounds are compared. */
function comparable(type: string, stored: Stored): SingleValue {
  return type === 'binary' ? Buffer.from(stored as string, 'hex') : (stored as SingleValue)
}

type Bound = string | null | undefined

const valueOf = (type: string, bound: string): SingleValue => fromBytes(type, Buffer.from(bound, 'base64'))
const isBelow = (type: string, value: SingleValue, lower: Bound): boolean =>
  typeof lower === 'string' && compareValues(value, valueOf(type, lower)) < 0
const isAbove = (type: string, value: SingleValue, upper: Bound): boolean =>
  typeof upper === 'string' && compareValues(value, valueOf(type, upper)) > 0

/** Code points of a text, bytes of what is of bytes; what has neither is as short as it can be. */
function lengthOf(type: string, bound: Bound): number {
  const value = typeof bound === 'string' ? valueOf(type, bound) : 0
  if (typeof value === 'string') return Array.from(value).length
  return value instanceof Uint8Array ? value.length : 0
}

test('bounds take in every value, are short, and counts are right', () => {
  fc.assert(
    fc.property(arbitraryTable({ depth: 2, precision: 38, milliseconds: false }), ({ columns, rows, stored }) => {
      const { columns: withIds, lock } = lockedTable('t', columns)
      const file = new ParquetRows(withIds.filter(({ name }) => !name.startsWith('_')))
      for (const row of rows) file.append(row)
      const statistics = new Map(file.encode({}).statistics?.fields.map((field) => [field[0], field]))
      const schema = fieldsById(structOf(lock))
      const leaves = new Map<number, Stored[]>()
      leafValues(
        withIds.filter(({ name }) => !name.startsWith('_')),
        stored,
        leaves,
      )
      for (const [id, values] of leaves) {
        const type = schema.get(id)?.type as string
        const [, , count, nulls, nans, lower, upper] = statistics.get(id) ?? []
        expect([count, nulls]).toEqual([values.length, values.filter((value) => value === null).length])
        expect(nans ?? 0).toBe(values.filter((value) => Number.isNaN(value)).length)
        const some = values
          .filter((value) => value !== null && !Number.isNaN(value))
          .map((value) => comparable(type, value))
        expect(lower === null).toBe(some.length === 0 || type === 'uuid')
        for (const bound of [lower, upper]) expect(lengthOf(type, bound)).toBeLessThanOrEqual(16)
        expect(some.filter((value) => isBelow(type, value, lower) || isAbove(type, value, upper))).toEqual([])
      }
    }),
    { numRuns: 300 },
  )
})
