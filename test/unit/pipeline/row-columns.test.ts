import * as z from 'zod'
import { AUDIT_COLUMNS, type Column, type ColumnType, TIMESTAMP } from '#shared/pipeline/columns.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { columnsOf } from '#shared/pipeline/row-columns.ts'

/** A codec that changes nothing. */
const same = { decode: String, encode: String }

function columnOf(schema: z.ZodType): Column {
  const [column] = columnsOf(z.object({ field: schema }))
  return column as Column
}

const mapOf = (type: ColumnType, nullable = false): ColumnType => ({
  kind: 'map',
  value: { name: 'value', type, nullable },
})
const eitherStruct: ColumnType = {
  kind: 'struct',
  fields: ['a', 'b'].map((name) => ({ name, type: { kind: 'int32' }, nullable: true })),
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
    ['date', z.date(), TIMESTAMP],
    ['coerced date', z.coerce.date(), TIMESTAMP],
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
    ['enum of TypeScript, which maps both ways', z.enum({ a: 0, b: 1, 0: 'a', 1: 'b' } as const), { kind: 'int64' }],
    ['enum of numbers', z.enum({ a: 0.5, b: 1 }), double],
    ['enum object of strings', z.enum({ A: 'a', B: 'b' } as const), string],
    ['names of fields', z.object({ a: z.string(), b: z.string() }).keyof(), string],
    [
      'bigint within 64 bits',
      z
        .bigint()
        .min(-5n)
        .max(2n ** 63n - 1n),
      { kind: 'int64' },
    ],
    ['bigint of unsigned 64 bits with a bound', z.uint64().max(5n), { kind: 'int64' }],
    ['preprocessed', z.preprocess(String, z.string()), string],
    ['stringbool', z.stringbool(), { kind: 'boolean' }],
    ['record of some keys', z.partialRecord(z.enum(['a']), z.int32()), mapOf({ kind: 'int32' })],
    [
      'strict object',
      z.object({ a: z.strictObject({ b: z.int32() }) }).shape.a,
      { kind: 'struct', fields: [{ name: 'b', type: { kind: 'int32' }, nullable: false }] },
    ],
    ['literal string', z.literal('a'), string],
    ['literal boolean', z.literal(true), { kind: 'boolean' }],
    ['literal integers', z.literal([1, 2]), { kind: 'int64' }],
    ['literal numbers', z.literal([1, 2.5]), double],
    ['what a pipe ends in', z.string().pipe(z.coerce.number()), double],
    [
      'what a codec decodes to',
      z.codec(z.string(), z.date(), { decode: (s) => new Date(s), encode: String }),
      TIMESTAMP,
    ],
    ['record', z.record(z.string(), z.int32()), mapOf({ kind: 'int32' })],
    ['map', z.map(z.string(), z.int32().nullable()), mapOf({ kind: 'int32' }, true)],
    ['union of numbers', z.union([z.int32(), z.number()]), double],
    ['union of structs', z.union([z.object({ a: z.int32() }), z.object({ b: z.int32() })]), eitherStruct],
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
    ['union with null', z.union([z.string(), z.null()]), true],
    ['nullable below readonly', z.string().nullable().readonly(), true],
    ['nullable with a default', z.string().nullable().default('x'), true],
    ['nullable at the end of a pipe', z.codec(z.string(), z.string().nullable(), same), true],
    ['nullable at the beginning of a pipe only', z.codec(z.string().nullable(), z.string(), same), false],
    ['default', z.string().default('x'), false],
    ['optional with a default', z.string().optional().default('x'), false],
    ['not optional after all', z.nonoptional(z.string().optional()), false],
    ['prefault', z.string().prefault('x'), false],
    ['catch', z.string().catch('x'), false],
    ['optional with a catch, which does not replace what is missing', z.string().optional().catch('x'), true],
    ['optional with a catch and a default', z.string().optional().catch('x').default('y'), true],
    ['nullable with a catch', z.string().nullable().catch(null), true],
    ['union with undefined', z.union([z.string(), z.undefined()]), true],
    ['union with what may be null', z.union([z.string().nullable(), z.email()]), true],
    ['preprocessed to null', z.preprocess(String, z.string().nullable()), true],
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
    [
      'union of what has no common column',
      z.object({ a: z.union([z.string(), z.number()]) }),
      'row.a: a column cannot be string in one case and double in another',
    ],
    [
      'record with keys that are no text',
      z.object({ a: z.record(z.int(), z.int()) }),
      'row.a: the keys of a map column',
    ],
    ['map with keys that are no text', z.object({ a: z.map(z.date(), z.int()) }), 'row.a: the keys of a map column'],
    ['within a map', z.object({ a: z.record(z.string(), z.any()) }), 'row.a{}: '],
    ['integers without bounds', z.object({ a: z.bigint() }), 'row.a: a bigint that is not within 64 bits; z.int64()'],
    ['integers without an end', z.object({ a: z.bigint().min(0n) }), 'row.a: a bigint that is not within 64 bits'],
    ['integers without a beginning', z.object({ a: z.bigint().max(0n) }), 'row.a: a bigint that is not within 64 bits'],
    [
      'integers that need 65 bits',
      z.object({
        a: z
          .bigint()
          .min(0n)
          .max(2n ** 63n),
      }),
      'row.a: a bigint that is not',
    ],
    ['unsigned integers of 64 bits', z.object({ a: z.uint64() }), 'row.a: a bigint that is not within 64 bits'],
    ['void', z.object({ a: z.void() }), `row.a: a Parquet column cannot hold zod's "void"`],
    ['never', z.object({ a: z.never() }), `row.a: a Parquet column cannot hold zod's "never"`],
    ['undefined', z.object({ a: z.undefined() }), `row.a: a Parquet column cannot hold zod's "undefined"`],
    ['nan', z.object({ a: z.nan() }), `row.a: a Parquet column cannot hold zod's "nan"`],
    ['symbol', z.object({ a: z.symbol() }), `row.a: a Parquet column cannot hold zod's "symbol"`],
    ['promise', z.object({ a: z.promise(z.string()) }), `row.a: a Parquet column cannot hold zod's "promise"`],
    ['function', z.object({ a: z.function() }), `row.a: a Parquet column cannot hold zod's "function"`],
    ['file', z.object({ a: z.file() }), `row.a: a Parquet column cannot hold zod's "file"`],
    ['any JSON', z.object({ a: z.json() }), `row.a: a Parquet column cannot hold zod's "lazy"`],
    ['intersection', z.object({ a: z.object({ b: z.int() }).and(z.object({ c: z.int() })) }), 'row.a: '],
    ['custom check', z.object({ a: z.custom<string>() }), 'row.a: a custom check says nothing of the type'],
    ['literal bigint', z.object({ a: z.literal(1n) }), 'row.a: its values are not all strings'],
    [
      'in a case of a union',
      z.object({ a: z.union([z.object({ b: z.int() }), z.object({ b: z.any() })]) }),
      'row.a.b: ',
    ],
    ['at an end of a pipe within', z.object({ a: z.array(z.string().transform(Number)) }), 'row.a[]: '],
    ['more fields than it names', z.looseObject({ a: z.string() }), 'row: it takes fields that it does not name'],
    ['more fields than it names, within', z.object({ a: z.looseObject({ b: z.int() }) }), 'row.a: it takes fields'],
    ['fields of a catchall', z.object({ a: z.object({ b: z.int() }).catchall(z.int()) }), 'row.a: it takes fields'],
    ['a name that every object has', z.object({ valueOf: z.string() }), 'row.valueOf: every JavaScript object has'],
    [
      'such a name within',
      z.object({ a: z.object({ constructor: z.string() }) }),
      'row.a.constructor: every JavaScript',
    ],
    [
      'text and numbers in one field of two objects',
      z.object({ a: z.union([z.object({ b: z.int() }), z.object({ b: z.string() })]) }),
      'row.a.b: a column cannot be int64 in one case',
    ],
    [
      'names in two objects that differ in case',
      z.object({ a: z.union([z.object({ b: z.int() }), z.object({ B: z.int() })]) }),
      'row.a.B: differs from "b"',
    ],
    [
      'null keys',
      z.object({ a: z.map(z.string().nullable(), z.int()) }),
      'row.a: the keys of a map column are strings',
    ],
    ['union of null alone', z.object({ a: z.union([z.null(), z.undefined()]) }), 'row.a: a column of nothing but null'],
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

  test('recursive', () => {
    const Category = z.object({
      name: z.string(),
      get parent() {
        return z.nullable(Category)
      },
    })
    expect(() => columnsOf(Category)).toThrow(PipelineDefinitionError)
    expect(() => columnsOf(Category)).toThrow('row.parent: it contains itself')
  })
})

test('what contains itself further down is named where it does so the second time', () => {
  const Node = z.object({
    id: z.string(),
    get next() {
      return z.array(Node)
    },
  })
  expect(() => columnsOf(z.object({ list: Node }))).toThrow('row.list.next[]: it contains itself')
})

describe('a column that the owner declares', () => {
  const utc = { kind: 'timestamp', utc: true } as const

  test.each<[string, z.ZodType, Omit<Column, 'name'>]>([
    ['date', z.iso.date().meta({ column: 'date' }), { type: { kind: 'date' }, nullable: false }],
    ['timestamp', z.iso.datetime().meta({ column: 'timestamp' }), { type: TIMESTAMP, nullable: false }],
    ['timestamp_ms', z.date().meta({ column: 'timestamp_ms' }), { type: { ...utc, unit: 'ms' }, nullable: false }],
    [
      'local_timestamp',
      z.string().meta({ column: 'local_timestamp' }),
      { type: { kind: 'timestamp', unit: 'us', utc: false }, nullable: false },
    ],
    ['uuid', z.uuid().meta({ column: 'uuid' }), { type: { kind: 'uuid' }, nullable: false }],
    ['binary', z.instanceof(Uint8Array).meta({ column: 'binary' }), { type: { kind: 'binary' }, nullable: false }],
    ['binary of base64', z.base64().meta({ column: 'binary' }), { type: { kind: 'binary' }, nullable: false }],
    [
      'decimal(38,38)',
      z.string().meta({ column: 'decimal(38,38)' }),
      { type: { kind: 'decimal', precision: 38, scale: 38 }, nullable: false },
    ],
    [
      'decimal(1, 0)',
      z.string().meta({ column: 'decimal(1, 0)' }),
      { type: { kind: 'decimal', precision: 1, scale: 0 }, nullable: false },
    ],
    [
      'below what makes it nullable',
      z.iso.date().meta({ column: 'date' }).nullable(),
      { type: { kind: 'date' }, nullable: true },
    ],
    [
      'on top of what makes it nullable',
      z.iso.date().nullable().meta({ column: 'date' }),
      { type: { kind: 'date' }, nullable: true },
    ],
  ])('%s', (_, schema, column) => {
    expect(columnOf(schema)).toEqual({ name: 'field', ...column })
  })

  test.each<[string, z.ZodType, string]>([
    ['date of a number', z.number().meta({ column: 'date' }), `column "date" is made of zod's string, not of "number"`],
    ['uuid of a Date', z.date().meta({ column: 'uuid' }), `column "uuid" is made of zod's string, not of "date"`],
    ['an unknown one', z.string().meta({ column: 'money' }), 'unknown column "money"; there are date, timestamp'],
    ['what objects inherit', z.string().meta({ column: 'constructor' }), 'unknown column "constructor"'],
    ['no text', z.string().meta({ column: 7 }), 'unknown column 7'],
    ['39 digits', z.string().meta({ column: 'decimal(39,0)' }), 'a precision is 1 to 38'],
    ['no digits', z.string().meta({ column: 'decimal(0,0)' }), 'a precision is 1 to 38'],
    [
      'more digits behind the point than there are',
      z.string().meta({ column: 'decimal(2,3)' }),
      'a scale at most that',
    ],
    ['bytes without saying so', z.instanceof(Uint8Array), 'for bytes add .meta({ column: "binary" })'],
  ])('is refused when it cannot be: %s', (_, schema, message) => {
    expect(() => columnOf(schema)).toThrow(PipelineDefinitionError)
    expect(() => columnOf(schema)).toThrow('row.field: ')
    expect(() => columnOf(schema)).toThrow(message)
  })
})
