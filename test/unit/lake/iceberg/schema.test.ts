import { fieldsById, nameMapping, sameStruct, type StructType, structOf } from '#shared/lake/iceberg/schema.ts'
import { always, decimal, listOf, mapOf, maybe, structOf as structType, timestamp } from '#test/helpers/columns.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const { lock } = lockedTable('t', [
  always('at', timestamp('us', true)),
  maybe('local', timestamp('us', false)),
  maybe('price', decimal(9, 2)),
  maybe('tags', listOf(always, 'string')),
  maybe('m', mapOf(maybe, structType(always('a', 'int32'), maybe('b', listOf(maybe, 'int64'))))),
  ...(['boolean', 'int32', 'int64', 'float', 'double', 'date', 'uuid', 'binary'] as const).map((kind) =>
    maybe(kind, kind),
  ),
])
const struct = structOf(lock)

test('a schema has the fields of its lock, with types as Iceberg names them', () => {
  expect(struct.fields.slice(0, 5)).toEqual([
    { id: 1, name: 'at', required: true, type: 'timestamptz' },
    { id: 2, name: 'local', required: false, type: 'timestamp' },
    { id: 3, name: 'price', required: false, type: 'decimal(9, 2)' },
    {
      id: 4,
      name: 'tags',
      required: false,
      type: { type: 'list', 'element-id': 5, 'element-required': true, element: 'string' },
    },
    {
      id: 6,
      name: 'm',
      required: false,
      type: {
        type: 'map',
        'key-id': 7,
        key: 'string',
        'value-id': 8,
        'value-required': false,
        value: {
          type: 'struct',
          fields: [
            { id: 9, name: 'a', required: true, type: 'int' },
            {
              id: 10,
              name: 'b',
              required: false,
              type: { type: 'list', 'element-id': 11, 'element-required': false, element: 'long' },
            },
          ],
        },
      },
    },
  ])
  expect(struct.fields.slice(5, 13).map(({ type }) => type)).toEqual(
    'boolean int long float double date uuid binary'.split(' '),
  )
  expect(struct.fields.slice(13).map(({ name }) => name)).toEqual([
    '_epoch',
    '_kafka_partition',
    '_offset',
    '_index',
    '_timestamp',
  ])
})

test('what is required is what the lock says, whatever the contract does', () => {
  const later = lockedTable('t', [always('x', 'int32')], {}, lockedTable('t', []).lock)
  expect(structOf(later.lock).fields[0]).toMatchObject({ name: 'x', required: false })
})

test('fields are found by id at every depth', () => {
  const fields = fieldsById(struct)
  expect([...fields.keys()].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: lock.lastColumnId }, (_, i) => i + 1),
  )
  expect(fields.get(5)).toEqual({ id: 5, name: 'element', required: true, type: 'string' })
  expect(fields.get(11)).toMatchObject({ name: 'element', type: 'long' })
})

test('the name mapping names every field within its parent', () => {
  const mapping = JSON.parse(nameMapping(lock)) as { names: string[] }[]
  expect(mapping.slice(2, 5)).toEqual([
    { 'field-id': 3, names: ['price'] },
    { 'field-id': 4, names: ['tags'], fields: [{ 'field-id': 5, names: ['element'] }] },
    {
      'field-id': 6,
      names: ['m'],
      fields: [
        { 'field-id': 7, names: ['key'] },
        {
          'field-id': 8,
          names: ['value'],
          fields: [
            { 'field-id': 9, names: ['a'] },
            { 'field-id': 10, names: ['b'], fields: [{ 'field-id': 11, names: ['element'] }] },
          ],
        },
      ],
    },
  ])
})

describe('two structs are the same', () => {
  const read = JSON.parse(JSON.stringify(struct)) as StructType
  const changed = (change: (text: string) => string): StructType =>
    JSON.parse(change(JSON.stringify(struct))) as StructType

  test('in any order of keys, and with decimals written either way', () => {
    const [first, ...others] = read.fields
    const { id, name, required, type } = first ?? others[0] ?? { id: 0, name: '', required: false, type: '' }
    expect(sameStruct(struct, { type: 'struct', fields: [{ type, required, name, id }, ...others] })).toBe(true)
    expect(
      sameStruct(
        struct,
        changed((text) => text.replace('decimal(9, 2)', 'decimal(9,2)')),
      ),
    ).toBe(true)
  })

  test.each([
    ['an id', (text: string) => text.replace('"id":3,', '"id":33,')],
    ['a name', (text: string) => text.replace('"price"', '"cost"')],
    ['what is required', (text: string) => text.replace('"required":true', '"required":false')],
    ['a type', (text: string) => text.replace('decimal(9, 2)', 'decimal(10, 2)')],
    ['an element', (text: string) => text.replace('"element-required":true', '"element-required":false')],
    ['a value', (text: string) => text.replace('"value-id":8', '"value-id":88')],
  ])('not when %s differs', (_, change) => {
    expect(sameStruct(struct, changed(change))).toBe(false)
  })
})
