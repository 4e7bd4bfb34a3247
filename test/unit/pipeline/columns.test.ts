import * as z from 'zod'
import { AUDIT_COLUMNS, type Column, type ColumnType, columnsOf } from '#shared/pipeline/columns.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'

function columnOf(schema: z.ZodType): Column {
  const [column] = columnsOf(z.object({ field: schema }))
  return column as Column
}

const string: ColumnType = { kind: 'string' }
const double: ColumnType = { kind: 'double' }

describe('the type of a column', () => {
  test.each<[string, z.ZodType, ColumnType]>([
    ['string', z.string(), string],
    ['string with a format', z.iso.datetime(), string],
    ['string with checks', z.string().min(1).max(3), string],
    ['template literal', z.templateLiteral(['a-', z.number()]), string],
    ['boolean', z.boolean(), { kind: 'boolean' }],
    ['date', z.date(), { kind: 'timestamp' }],
    ['coerced date', z.coerce.date(), { kind: 'timestamp' }],
    ['int32', z.int32(), { kind: 'int32' }],
    ['int', z.int(), { kind: 'int64' }],
    ['number().int()', z.number().int().min(0), { kind: 'int64' }],
    ['uint32, which int32 cannot hold', z.uint32(), { kind: 'int64' }],
    ['int64', z.int64(), { kind: 'int64' }],
    ['number', z.number(), double],
    ['number with bounds', z.number().positive(), double],
    ['float32', z.float32(), { kind: 'float' }],
    ['float64', z.float64(), double],
    ['enum of strings', z.enum(['a', 'b']), string],
    ['enum of integers', z.enum({ a: 1, b: 2 }), { kind: 'int64' }],
    ['literal string', z.literal('a'), string],
    ['literal boolean', z.literal(true), { kind: 'boolean' }],
    ['literal integers', z.literal([1, 2]), { kind: 'int64' }],
    ['literal numbers', z.literal([1, 2.5]), double],
    ['what a pipe ends in', z.string().pipe(z.coerce.number()), double],
    [
      'what a codec decodes to',
      z.codec(z.string(), z.date(), { decode: (s) => new Date(s), encode: String }),
      { kind: 'timestamp' },
    ],
    ['branded', z.string().brand<'Id'>(), string],
    ['refined', z.string().refine((text) => text !== 'x'), string],
  ])('%s', (_, schema, type) => {
    expect(columnOf(schema)).toEqual({ name: 'field', type, nullable: false })
  })
})

describe('null in a column', () => {
  test.each<[string, z.ZodType, boolean]>([
    ['nullable', z.string().nullable(), true],
    ['optional', z.string().optional(), true],
    ['nullish', z.string().nullish(), true],
    ['exactly optional', z.exactOptional(z.string()), true],
    ['nullable below readonly', z.string().nullable().readonly(), true],
    ['nullable with a default', z.string().nullable().default('x'), true],
    ['nullable at the end of a pipe', z.string().pipe(z.string().nullable()), true],
    ['nullable at the beginning of a pipe only', z.string().nullable().pipe(z.coerce.string()), false],
    ['default', z.string().default('x'), false],
    ['prefault', z.string().prefault('x'), false],
    ['catch', z.string().catch('x'), false],
    ['readonly', z.string().readonly(), false],
  ])('%s', (_, schema, nullable) => {
    expect(columnOf(schema)).toEqual({ name: 'field', type: string, nullable })
  })

  test('lists and structs say at each level whether null is allowed', () => {
    const stops = z.array(z.object({ gate: z.string().nullable(), tags: z.array(z.int32().nullable()) })).nullable()
    const tags: ColumnType = {
      kind: 'list',
      element: { name: 'element', type: { kind: 'int32' }, nullable: true },
    }
    const fields: Column[] = [
      { name: 'gate', type: string, nullable: true },
      { name: 'tags', type: tags, nullable: false },
    ]
    const element: Column = { name: 'element', type: { kind: 'struct', fields }, nullable: false }
    expect(columnOf(stops)).toEqual({ name: 'field', type: { kind: 'list', element }, nullable: true })
  })
})

test('columns come in the order of the fields', () => {
  expect(columnsOf(z.object({ b: z.string(), a: z.string(), c: z.string() })).map(({ name }) => name)).toEqual([
    'b',
    'a',
    'c',
  ])
})

test("names of Inlet's own columns cannot be taken by a row", () => {
  for (const { name } of AUDIT_COLUMNS) expect(name).toMatch(/^_/)
})

describe('a row that has no columns is refused, and the field named', () => {
  test.each<[string, z.ZodObject, string]>([
    ['any', z.object({ a: z.any() }), `row.a: a Parquet column cannot hold zod's "any"`],
    ['unknown', z.object({ a: z.unknown() }), 'row.a: '],
    ['union', z.object({ a: z.union([z.string(), z.number()]) }), 'row.a: '],
    ['record', z.object({ a: z.record(z.string(), z.string()) }), 'row.a: '],
    ['map', z.object({ a: z.map(z.string(), z.string()) }), 'row.a: '],
    ['set', z.object({ a: z.set(z.string()) }), 'row.a: '],
    ['tuple', z.object({ a: z.tuple([z.string()]) }), 'row.a: '],
    ['null', z.object({ a: z.null() }), 'row.a: '],
    ['instance', z.object({ a: z.instanceof(Uint8Array) }), 'row.a: '],
    ['transform at the end of a pipe', z.object({ a: z.string().transform(Number) }), 'row.a: '],
    ['deferred', z.object({ a: z.lazy(() => z.string()) }), 'row.a: '],
    ['within a struct', z.object({ a: z.object({ b: z.any() }) }), 'row.a.b: '],
    ['within a list', z.object({ a: z.array(z.object({ b: z.any() })) }), 'row.a[].b: '],
    ['below wrappers', z.object({ a: z.any().nullable().default(null) }), 'row.a: '],
    ['mixed enum', z.object({ a: z.enum({ a: 1, b: 'b' }) }), 'row.a: its values are not all strings'],
    ['mixed literal', z.object({ a: z.literal([1, 'b', true]) }), 'row.a: its values are not all strings'],
    ['literal null', z.object({ a: z.literal(null) }), 'row.a: its values are not all strings'],
    ['no fields', z.object({}), 'row: an object without fields has no columns'],
    ['no fields within', z.object({ a: z.object({}) }), 'row.a: an object without fields'],
    ['a name without letters', z.object({ '': z.string() }), 'row: a column needs a name'],
    [
      'names that differ in case',
      z.object({ aB: z.string(), Ab: z.string() }),
      'row.Ab: differs from "aB" only in case',
    ],
    ['names within that differ in case', z.object({ a: z.object({ x: z.int(), X: z.int() }) }), 'row.a.X: differs'],
    ["a name of Inlet's own", z.object({ _offset: z.string() }), 'row._offset: names that begin with "_"'],
  ])('%s', (_, row, message) => {
    expect(() => columnsOf(row)).toThrow(PipelineDefinitionError)
    expect(() => columnsOf(row)).toThrow(message)
  })
})
