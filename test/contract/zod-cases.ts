/** Each type of zod as a field of an event: the column that it becomes, and what is sent and read back. */
import * as z from 'zod'

/** A field of an event and of a row. */
export interface Case {
  readonly event: z.ZodType
  /** The row's contract when it is not the event's. */
  readonly row?: z.ZodType
  readonly toRow?: (value: never) => unknown
  /** The column, as `string`, `int64?` when null is allowed. */
  readonly column: string
  /** What a producer sends for the field (undefined: nothing) → what a reader finds. */
  readonly values: readonly (readonly [json: string | undefined, read: unknown])[]
  /** What is refused. */
  readonly refused?: readonly (string | undefined)[]
}

/** An object of constants, as libraries export them and `enum` compiles to. */
const Level = { Low: 0, High: 1, 0: 'Low', 1: 'High' } as const
const Status = { On: 'on', Off: 'off' } as const

const Pet = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cat'), lives: z.int32(), name: z.string() }),
  z.object({ kind: z.literal('dog'), tricks: z.array(z.string()), name: z.string().nullable() }),
])
const Tree = z.object({
  id: z.int64(),
  get children() {
    return z.array(Tree)
  },
})
type Tree = z.output<typeof Tree>

/** By what people call them. */
export const CASES: Readonly<Record<string, Case>> = {
  string: {
    event: z.string(),
    column: 'string',
    values: [
      ['"text"', 'text'],
      ['""', ''],
      ['"\\u0000😀"', '\u0000😀'],
    ],
    refused: ['1', 'null', undefined, '["text"]'],
  },
  'string with checks': {
    event: z.string().min(2).max(3).startsWith('a'),
    column: 'string',
    values: [['"abc"', 'abc']],
    refused: ['"a"', '"abcd"', '"bc"'],
  },
  'string in capitals': { event: z.string().trim().toUpperCase(), column: 'string', values: [['" jfk "', 'JFK']] },
  email: { event: z.email(), column: 'string', values: [['"a@b.example"', 'a@b.example']], refused: ['"a"'] },
  uuid: {
    event: z.uuid(),
    column: 'string',
    values: [['"0f8fad5b-d9cb-469f-a165-70867728950e"', '0f8fad5b-d9cb-469f-a165-70867728950e']],
    refused: ['"0f8fad5b"'],
  },
  url: { event: z.url(), column: 'string', values: [['"https://a.example/b"', 'https://a.example/b']] },
  base64: { event: z.base64(), column: 'string', values: [['"AP8="', 'AP8=']], refused: ['"%"'] },
  'ISO date and time': {
    event: z.iso.datetime(),
    column: 'string',
    values: [['"2013-01-01T10:00:00Z"', '2013-01-01T10:00:00Z']],
    refused: ['"2013-01-01"', '"2013-02-30T10:00:00Z"'],
  },
  'ISO date, as a date': {
    event: z.iso.date(),
    row: z.iso.date().meta({ column: 'date' }),
    column: 'date',
    values: [['"2013-01-31"', new Date('2013-01-31T00:00:00Z')]],
    refused: ['"2013-02-30"'],
  },
  'ISO date and time, as an instant': {
    event: z.iso.datetime(),
    row: z.iso.datetime().meta({ column: 'timestamp' }),
    column: 'timestamp',
    values: [['"2013-01-01T10:00:00.25Z"', new Date('2013-01-01T10:00:00.250Z')]],
  },
  'template literal': {
    event: z.templateLiteral(['gate-', z.int()]),
    column: 'string',
    values: [['"gate-7"', 'gate-7']],
    refused: ['"gate-x"'],
  },
  number: {
    event: z.number(),
    column: 'double',
    values: [
      ['1.5', 1.5],
      ['-0', -0],
      ['1e-400', 0],
      ['100000000000000000000', 1e20],
    ],
    refused: ['"1"', '1e400', 'null'],
  },
  float64: { event: z.float64(), column: 'double', values: [['0.1', 0.1]] },
  'float32, which rounds': {
    event: z.float32(),
    column: 'float',
    values: [
      ['0.5', 0.5],
      ['0.1', Math.fround(0.1)],
    ],
    refused: ['1e39'],
  },
  int: {
    event: z.int(),
    column: 'int64',
    values: [
      ['9007199254740991', 9_007_199_254_740_991n],
      ['-9007199254740991', -9_007_199_254_740_991n],
      ['1e3', 1000n],
    ],
    refused: ['9007199254740992', '1.5', '9007199254740993'],
  },
  'number().int() with bounds': {
    event: z.number().int().min(0),
    column: 'int64',
    values: [['7', 7n]],
    refused: ['-1'],
  },
  int32: {
    event: z.int32(),
    column: 'int32',
    values: [
      ['2147483647', 2_147_483_647],
      ['-2147483648', -2_147_483_648],
    ],
    refused: ['2147483648', '0.5'],
  },
  uint32: {
    event: z.uint32(),
    column: 'int64',
    values: [['4294967295', 4_294_967_295n]],
    refused: ['-1', '4294967296'],
  },
  int64: {
    event: z.int64(),
    column: 'int64',
    values: [
      ['0', 0n],
      ['9007199254740991', 9_007_199_254_740_991n],
      ['9007199254740993', 9_007_199_254_740_993n],
      ['9223372036854775807', 9_223_372_036_854_775_807n],
      ['-9223372036854775808', -9_223_372_036_854_775_808n],
    ],
    refused: ['9223372036854775808', '-9223372036854775809', '1.5', '9007199254740993.0', '"1"', 'null'],
  },
  'bigint with bounds': {
    event: z
      .bigint()
      .positive()
      .lt(2n ** 62n),
    column: 'int64',
    values: [['4611686018427387903', 4_611_686_018_427_387_903n]],
    refused: ['4611686018427387904', '0'],
  },
  'coerced bigint': {
    event: z.coerce.bigint(),
    row: z.int64(),
    column: 'int64',
    values: [
      ['9007199254740993', 9_007_199_254_740_993n],
      ['"9007199254740993"', 9_007_199_254_740_993n],
    ],
    refused: ['1.5', '"x"'],
  },
  boolean: { event: z.boolean(), column: 'boolean', values: [['true', true]], refused: ['"true"', '0'] },
  stringbool: {
    event: z.stringbool(),
    row: z.boolean(),
    column: 'boolean',
    values: [['"yes"', true]],
    refused: ['"so"'],
  },
  'coerced date': {
    event: z.coerce.date(),
    row: z.date(),
    column: 'timestamp',
    values: [['"2013-01-01T10:00:00Z"', new Date('2013-01-01T10:00:00Z')]],
    refused: ['"yesterday"'],
  },
  enum: { event: z.enum(['a', 'b']), column: 'string', values: [['"b"', 'b']], refused: ['"c"'] },
  'enum object': { event: z.enum(Status), column: 'string', values: [['"off"', 'off']], refused: ['"Off"'] },
  'native enum of numbers': {
    event: z.enum(Level),
    column: 'int64',
    values: [['1', 1n]],
    refused: ['"High"', '2'],
  },
  'literal text': { event: z.literal('x'), column: 'string', values: [['"x"', 'x']], refused: ['"y"'] },
  'literal numbers': { event: z.literal([1, 2.5]), column: 'double', values: [['2.5', 2.5]], refused: ['2'] },
  'literal true': { event: z.literal(true), column: 'boolean', values: [['true', true]], refused: ['false'] },
  nullable: { event: z.string().nullable(), column: 'string?', values: [['null', null]], refused: [undefined] },
  optional: { event: z.string().optional(), column: 'string?', values: [[undefined, null]], refused: ['null'] },
  nullish: {
    event: z.string().nullish(),
    column: 'string?',
    values: [
      ['null', null],
      [undefined, null],
      ['"x"', 'x'],
    ],
  },
  default: {
    event: z.string().default('none'),
    column: 'string',
    values: [
      [undefined, 'none'],
      ['"x"', 'x'],
    ],
    refused: ['null'],
  },
  prefault: { event: z.string().trim().prefault(' p '), column: 'string', values: [[undefined, 'p']] },
  catch: {
    event: z.int32().catch(-1),
    column: 'int32',
    values: [
      ['"x"', -1],
      [undefined, -1],
      ['7', 7],
    ],
  },
  'optional with a catch': {
    event: z.int32().optional().catch(-1),
    column: 'int32?',
    values: [
      [undefined, null],
      ['"x"', -1],
    ],
  },
  nonoptional: {
    event: z.nonoptional(z.string().optional()),
    column: 'string',
    values: [['"x"', 'x']],
    refused: [undefined],
  },
  readonly: { event: z.array(z.int32()).readonly(), column: 'list<int32>', values: [['[1,2]', [1, 2]]] },
  branded: { event: z.string().brand<'Id'>(), column: 'string', values: [['"x"', 'x']] },
  refined: {
    event: z.string().refine((text) => text !== 'x'),
    column: 'string',
    values: [['"y"', 'y']],
    refused: ['"x"'],
  },
  'nested object': {
    event: z.object({ a: z.object({ b: z.int32().nullable() }), c: z.string() }),
    column: 'struct<a: struct<b: int32>, c: string>',
    values: [['{"a":{"b":null},"c":"x"}', { a: { b: null }, c: 'x' }]],
    refused: ['{"a":{"b":"1"},"c":"x"}', '{"a":null,"c":"x"}', '[]'],
  },
  'nullable object': {
    event: z.object({ a: z.int32() }).nullable(),
    column: 'struct<a: int32>?',
    values: [['null', null]],
  },
  array: {
    event: z.array(z.string().nullable()),
    column: 'list<string>',
    values: [
      ['[]', []],
      ['["a",null]', ['a', null]],
    ],
    refused: ['{"0":"a"}', '[1]'],
  },
  'array of objects': {
    event: z.array(z.object({ id: z.int64() })),
    column: 'list<struct<id: int64>>',
    values: [['[{"id":9007199254740993},{"id":1}]', [{ id: 9_007_199_254_740_993n }, { id: 1n }]]],
  },
  'array of arrays': {
    event: z.array(z.array(z.int32())),
    column: 'list<list<int32>>',
    values: [['[[1],[],[2,3]]', [[1], [], [2, 3]]]],
  },
  record: {
    event: z.record(z.string(), z.int32()),
    column: 'map<string, int32>',
    values: [
      ['{"a":1,"b":2}', { a: 1, b: 2 }],
      ['{}', {}],
    ],
    refused: ['{"a":"1"}', '[1]'],
  },
  'record of some keys': {
    event: z.partialRecord(z.enum(['a', 'b']), z.int32()),
    column: 'map<string, int32>',
    values: [['{"a":1}', { a: 1 }]],
    refused: ['{"c":1}'],
  },
  map: {
    event: z.record(z.string(), z.int32()),
    row: z.map(z.string(), z.int32()),
    toRow: (value: Record<string, number>) => new Map(Object.entries(value)),
    column: 'map<string, int32>',
    values: [['{"a":1}', { a: 1 }]],
  },
  'union with null': {
    event: z.union([z.string(), z.null()]),
    column: 'string?',
    values: [['null', null]],
    refused: ['1'],
  },
  'union of numbers': {
    event: z.union([z.int32(), z.number()]),
    column: 'double',
    values: [
      ['1', 1],
      ['1.5', 1.5],
    ],
  },
  'union of integers': {
    event: z.union([z.int64(), z.int32()]),
    column: 'int64',
    values: [['9007199254740993', 9_007_199_254_740_993n]],
  },
  'union of objects': {
    event: z.union([z.object({ a: z.int32() }), z.object({ b: z.string() })]),
    column: 'struct<a: int32, b: string>',
    values: [
      ['{"a":1}', { a: 1, b: null }],
      ['{"b":"x"}', { a: null, b: 'x' }],
    ],
  },
  'discriminated union': {
    event: Pet,
    column: 'struct<kind: string, lives: int32, name: string, tricks: list<string>>',
    values: [
      ['{"kind":"cat","lives":9,"name":"Tom"}', { kind: 'cat', lives: 9, name: 'Tom', tricks: null }],
      ['{"kind":"dog","tricks":["sit"],"name":null}', { kind: 'dog', lives: null, name: null, tricks: ['sit'] }],
    ],
    refused: ['{"kind":"cow","name":"Flora"}', '{"kind":"cat","lives":9,"name":null}'],
  },
  transform: {
    event: z.string().transform((text) => text.length),
    row: z.int32(),
    column: 'int32',
    values: [['"four"', 4]],
  },
  'transform that throws': {
    event: z.string().transform((text) => BigInt(text)),
    row: z.int64(),
    column: 'int64',
    values: [['"9007199254740993"', 9_007_199_254_740_993n]],
    refused: ['"four"'],
  },
  pipe: {
    event: z.string().transform(Number).pipe(z.int32()),
    row: z.int32(),
    column: 'int32',
    values: [['"7"', 7]],
    refused: ['"x"', '"7.5"'],
  },
  preprocess: {
    event: z.preprocess((value) => (value === '' ? null : value), z.int64().nullable()),
    row: z.int64().nullable(),
    column: 'int64?',
    values: [
      ['""', null],
      ['9007199254740993', 9_007_199_254_740_993n],
      ['1', 1n],
    ],
  },
  'coerced number': {
    event: z.coerce.number(),
    row: z.number(),
    column: 'double',
    values: [['"1.5"', 1.5]],
    refused: ['"x"'],
  },
  codec: {
    event: z.codec(z.iso.datetime(), z.date(), {
      decode: (text) => new Date(text),
      encode: (date) => date.toISOString(),
    }),
    row: z.date(),
    column: 'timestamp',
    values: [['"2013-01-01T10:00:00Z"', new Date('2013-01-01T10:00:00Z')]],
    refused: ['"now"'],
  },
  'bytes of base64': {
    event: z.base64(),
    row: z.base64().meta({ column: 'binary' }),
    column: 'binary',
    values: [['"AP8="', Uint8Array.of(0, 255)]],
  },
  'decimal of text': {
    event: z.string(),
    row: z.string().meta({ column: 'decimal(5,2)' }),
    column: 'decimal(5,2)',
    values: [['"-12.5"', -12.5]],
    refused: ['"1.234"', '"1234"', '"x"'],
  },
  // What has no column may still be read, and become something that has.
  tuple: {
    event: z.tuple([z.string(), z.int64()]),
    row: z.int64(),
    toRow: ([, id]: [string, bigint]) => id,
    column: 'int64',
    values: [['["a",9007199254740993]', 9_007_199_254_740_993n]],
    refused: ['["a"]', '["a",1,2]'],
  },
  intersection: {
    event: z.object({ a: z.int64() }).and(z.object({ b: z.string() })),
    row: z.object({ a: z.int64(), b: z.string() }),
    column: 'struct<a: int64, b: string>',
    values: [['{"a":1,"b":"x"}', { a: 1n, b: 'x' }]],
    refused: ['{"a":1}'],
  },
  'object that contains itself': {
    event: Tree,
    row: z.array(z.int64()),
    toRow: (tree: Tree) => idsIn(tree),
    column: 'list<int64>',
    values: [['{"id":1,"children":[{"id":9007199254740993,"children":[]}]}', [1n, 9_007_199_254_740_993n]]],
    refused: ['{"id":1,"children":[{"id":2}]}'],
  },
  deferred: { event: z.lazy(() => z.int64()), row: z.int64(), column: 'int64', values: [['1', 1n]] },
  unknown: {
    event: z.unknown(),
    row: z.string(),
    toRow: (value: unknown) => JSON.stringify(value),
    column: 'string',
    values: [['{"a":[1]}', '{"a":[1]}']],
  },
}

function idsIn({ id, children }: Tree): bigint[] {
  return [id, ...children.flatMap(idsIn)]
}
