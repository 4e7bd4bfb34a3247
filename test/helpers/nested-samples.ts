import { always, decimal, listOf, mapOf, maybe, structOf, timestamp } from './columns.ts'
import { same, type SampledType, SCALARS, UUID } from './scalar-samples.ts'
import type { Stored } from './stored.ts'

const item = structOf(always('sku', 'string'), maybe('price', decimal(10, 2)))
const ITEM = { sku: 'a', price: '1.50' }
const STORED_ITEM = { sku: 'a', price: 150n }

/** Lists, maps and structs, with null and nothing at every level. */
const NESTED: readonly SampledType[] = [
  {
    name: 'list',
    type: listOf(maybe, 'int64'),
    samples: [
      [
        [1, 2n],
        [1n, 2n],
      ],
      [[], []],
      [[null], [null]],
      [
        [undefined, 1, null],
        [null, 1n, null],
      ],
      // A hole is as good as undefined.
      [Object.assign([], { 1: 5 }), [null, 5n]],
      [Array.from({ length: 300 }, (_, i) => i), Array.from({ length: 300 }, (_, i) => BigInt(i))],
    ],
  },
  { name: 'list_of_always', type: listOf(always, 'string'), samples: same(['a', ''], [], ['😀']) },
  {
    name: 'list_of_lists',
    type: listOf(maybe, listOf(maybe, 'double')),
    samples: same([], [null], [[]], [[null]], [[1], null, [], [2, null, -0]], [[], []]),
  },
  {
    name: 'list_of_lists_of_lists',
    type: listOf(always, listOf(maybe, listOf(always, 'boolean'))),
    samples: same([], [[]], [[null]], [[[]]], [[[true], null], [], [[false, true], []]]),
  },
  {
    name: 'struct',
    type: structOf(maybe('a', 'int32'), maybe('b', 'string')),
    samples: [
      ...same({ a: 1, b: 'x' }, { a: null, b: null }, { a: null, b: '' }),
      [{}, { a: null, b: null }],
      [
        { a: 2, more: 'is left out' },
        { a: 2, b: null },
      ],
    ],
  },
  {
    name: 'struct_of_structs',
    type: structOf(maybe('in', structOf(maybe('in', structOf(maybe('v', 'int32'))))), maybe('n', 'boolean')),
    samples: [
      ...same({ in: { in: { v: 1 } }, n: true }, { in: { in: { v: null } }, n: null }),
      ...same({ in: { in: null }, n: false }, { in: null, n: null }),
    ],
  },
  {
    name: 'struct_of_always',
    type: structOf(
      always('a', 'int32'),
      always('in', structOf(always('t', timestamp('us', true)), maybe('u', 'uuid'))),
    ),
    samples: [
      [
        { a: 1, in: { t: new Date(5), u: UUID } },
        { a: 1, in: { t: 5000n, u: UUID.replaceAll('-', '') } },
      ],
    ],
  },
  {
    name: 'list_of_structs',
    type: listOf(maybe, item),
    samples: [
      [
        [ITEM, null, { sku: 'b' }],
        [STORED_ITEM, null, { sku: 'b', price: null }],
      ],
      ...same([], [null], [{ sku: '', price: null }]),
    ],
  },
  {
    name: 'struct_of_lists',
    type: structOf(
      maybe('l', listOf(maybe, 'date')),
      maybe('m', mapOf(maybe, 'string')),
      always('k', listOf(always, 'int32')),
    ),
    samples: [
      [
        { l: ['1970-01-02', null], m: { x: 'y', z: null }, k: [1] },
        {
          l: [1, null],
          m: new Map([
            ['x', 'y'],
            ['z', null],
          ]),
          k: [1],
        },
      ],
      ...same({ l: null, m: null, k: [] }, { l: [], m: new Map<string, Stored>(), k: [1, 2] }),
    ],
  },
  {
    name: 'map',
    type: mapOf(maybe, 'int64'),
    samples: [
      [
        { a: 1, '': null, b: undefined },
        new Map([
          ['a', 1n],
          ['', null],
          ['b', null],
        ]),
      ],
      [
        new Map([
          ['é😀', 2n],
          ['10', 3n],
          ['9', 4n],
        ]),
        new Map([
          ['é😀', 2n],
          ['10', 3n],
          ['9', 4n],
        ]),
      ],
      [{}, new Map()],
      [new Map(), new Map()],
    ],
  },
  {
    name: 'map_of_always',
    type: mapOf(always, 'boolean'),
    samples: [
      [{ t: true }, new Map([['t', true]])],
      [{}, new Map()],
    ],
  },
  {
    name: 'map_of_lists',
    type: mapOf(maybe, listOf(maybe, 'uuid')),
    samples: [
      [
        { a: [UUID, null], b: [], c: null },
        new Map([
          ['a', [UUID.replaceAll('-', ''), null]],
          ['b', []],
          ['c', null],
        ]),
      ],
      [{}, new Map()],
    ],
  },
  {
    name: 'map_of_structs',
    type: mapOf(maybe, item),
    samples: [
      [
        { a: ITEM, b: null },
        new Map([
          ['a', STORED_ITEM],
          ['b', null],
        ]),
      ],
      [{}, new Map()],
    ],
  },
  {
    name: 'map_of_maps',
    type: mapOf(always, mapOf(maybe, 'binary')),
    samples: [
      [
        { a: { b: Uint8Array.of(1), c: null }, d: {} },
        new Map([
          [
            'a',
            new Map([
              ['b', '01'],
              ['c', null],
            ]),
          ],
          ['d', new Map()],
        ]),
      ],
    ],
  },
  {
    name: 'list_of_maps',
    type: listOf(maybe, mapOf(maybe, 'float')),
    samples: [
      [
        [{ a: 0.5, b: Number.NaN }, null, {}],
        [
          new Map([
            ['a', 0.5],
            ['b', Number.NaN],
          ]),
          null,
          new Map(),
        ],
      ],
      ...same([], [null]),
    ],
  },
] as readonly SampledType[]

export const SAMPLED: readonly SampledType[] = [...SCALARS, ...NESTED]
