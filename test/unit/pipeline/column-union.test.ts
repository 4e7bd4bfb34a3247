import * as z from 'zod'
import type { Column } from '#shared/pipeline/columns.ts'
import { typeName } from '#shared/pipeline/columns.ts'
import { BIGINT, NoCommonColumnError, uniteColumns } from '#shared/pipeline/column-union.ts'
import { columnsOf } from '#shared/pipeline/row-columns.ts'

function columnOf(schema: z.ZodType): Column {
  return columnsOf(z.object({ f: schema }))[0] as Column
}

function united(...schemas: readonly z.ZodType[]): string {
  const { type, nullable } = schemas.map(columnOf).reduce((a, b) => uniteColumns(a, b))
  return `${typeName(type)}${nullable ? '?' : ''}`
}

const object = (shape: z.ZodRawShape): z.ZodObject => z.object(shape)
const [cat, dog] = [object({ kind: z.string(), lives: z.int32() }), object({ kind: z.string(), tricks: z.int() })]

describe('two types share a column', () => {
  test.each<[string, string, z.ZodType, z.ZodType]>([
    ['of the same type', 'string', z.string(), z.email()],
    ['of the wider integer', 'int64', z.int32(), z.int()],
    ['of 64 bits', 'int64', z.int32(), z.int64()],
    ['of 64 bits, whether a number or not', 'int64', z.int(), z.int64()],
    ['of doubles: an int32 is not exact in a float', 'double', z.int32(), z.float32()],
    ['of doubles: floats', 'double', z.float32(), z.number()],
    ['of doubles: safe integers', 'double', z.int(), z.number()],
    ['with null when one has it', 'string?', z.string().nullable(), z.string()],
    ['of lists', 'list<double>', z.array(z.int32()), z.array(z.number())],
    ['of maps', 'map<string, int64>', z.record(z.string(), z.int32()), z.record(z.string(), z.int())],
    ['of structs, with the fields of both', 'struct<kind: string, lives: int32, tricks: int64>', cat, dog],
    [
      'of structs in structs',
      'struct<a: struct<b: double, c: string>>',
      object({ a: object({ b: z.int32() }) }),
      object({ a: object({ b: z.number(), c: z.string() }) }),
    ],
    ['of instants', 'timestamp', z.date(), z.string().meta({ column: 'timestamp' })],
    [
      'of decimals',
      'decimal(5,2)',
      z.string().meta({ column: 'decimal(5,2)' }),
      z.string().meta({ column: 'decimal(5,2)' }),
    ],
  ])('%s', (_, type, a, b) => {
    expect(united(a, b)).toBe(type)
  })

  test('whichever comes first', () => {
    expect(united(z.number(), z.int32())).toBe('double')
    expect(united(z.int64(), z.int32())).toBe('int64')
    expect(united(z.string(), z.string().nullable())).toBe('string?')
    expect(united(dog, cat)).toBe('struct<kind: string, tricks: int64, lives: int32>')
  })

  test('a field that only one of two structs has may be null, one that both have need not', () => {
    const { type } = uniteColumns(columnOf(cat), columnOf(dog))
    const fields = type.kind === 'struct' ? type.fields : []
    expect(fields.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['kind', false],
      ['lives', true],
      ['tricks', true],
    ])
  })

  test('so may one that only two of three have', () => {
    const { type } = [cat, dog, object({ kind: z.string(), lives: z.int32() })]
      .map(columnOf)
      .reduce((a, b) => uniteColumns(a, b))
    const fields = type.kind === 'struct' ? type.fields : []
    expect(fields.map(({ nullable }) => nullable)).toEqual([false, true, true])
  })
})

describe('two types have no common column', () => {
  test.each<[string, z.ZodType, z.ZodType, string, string]>([
    ['text and number', z.string(), z.number(), '', 'a column cannot be string in one case and double in another'],
    ['text and instant', z.string(), z.date(), '', 'string in one case and timestamp'],
    ['boolean and integer', z.boolean(), z.int32(), '', 'boolean in one case and int32'],
    ['struct and list', cat, z.array(z.string()), '', 'struct<'],
    ['struct and map', cat, z.record(z.string(), z.string()), '', 'struct<'],
    ['a field of structs', object({ a: z.string() }), object({ a: z.int32() }), '.a', 'string in one case and int32'],
    [
      'a field far within',
      object({ a: z.array(object({ b: z.record(z.string(), z.date()) })) }),
      object({ a: z.array(object({ b: z.record(z.string(), z.boolean()) })) }),
      '.a[].b{}',
      'timestamp in one case and boolean',
    ],
    [
      'decimals of other precision',
      z.string().meta({ column: 'decimal(5,2)' }),
      z.string().meta({ column: 'decimal(6,2)' }),
      '',
      'decimal(5,2)',
    ],
    ['instants of other units', z.date(), z.date().meta({ column: 'timestamp_ms' }), '', 'timestamp_ms in another'],
    // Not every bigint is exact in a double.
    ['bigint and double', z.int64(), z.number(), '', 'int64 in one case and double'],
    ['bigint and float', z.int64(), z.float32(), '', 'int64 in one case and float'],
    [
      'fields that differ in case',
      object({ id: z.string() }),
      object({ ID: z.string() }),
      '.ID',
      'differs from "id" of another case',
    ],
    [
      'fields that differ in case, deeper',
      object({ a: cat }),
      object({ a: object({ KIND: z.string() }) }),
      '.a.KIND',
      'differs from "kind"',
    ],
  ])('%s', (_, a, b, path, message) => {
    const unite = (): Column => uniteColumns(columnOf(a), columnOf(b))
    expect(unite).toThrow(NoCommonColumnError)
    expect(unite).toThrow(message)
    expect(unite).toThrow(expect.objectContaining({ path }))
    // The row contract names the field.
    const field = `row.f${path}: `
    expect(() => columnOf(z.union([a, b]))).toThrow(field)
  })

  test('a bigint and a double, whatever was between them', () => {
    expect(() => united(z.int32(), z.int64(), z.int(), z.number())).toThrow(NoCommonColumnError)
    expect(() => united(z.number(), z.int32(), z.int64())).toThrow(NoCommonColumnError)
    expect(() => united(z.int64(), z.int64(), z.float32())).toThrow(NoCommonColumnError)
    expect(() => united(z.int(), z.int64(), z.number())).toThrow(NoCommonColumnError)
  })
})

test('the column of a bigint is of 64 bits', () => {
  expect(BIGINT).toEqual({ kind: 'int64' })
  expect(columnOf(z.int64()).type).toBe(BIGINT)
  expect(columnOf(z.int()).type).not.toBe(BIGINT)
})
