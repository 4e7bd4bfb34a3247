import * as z from 'zod'
import { AUDIT_COLUMNS } from '#shared/pipeline/columns.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'

const Event = z.object({ id: z.string(), at: z.iso.datetime() })
const Row = z.object({ id: z.string(), at: z.date() })
const declaration = {
  name: 'flights',
  topic: 'flights',
  event: Event,
  row: Row,
  transform: ({ value }: { value: z.output<typeof Event> }) => ({ id: value.id, at: new Date(value.at) }),
  lake: { table: 'flights', layout: 'files', partitionBy: { at: 'day' } },
} as const

/** Defines what the compiler would not let through: what a mistake in plain JavaScript, or `as`, would give. */
function define(changes: Record<string, unknown>): Pipeline {
  return definePipeline({ ...declaration, ...changes })
}

test('a pipeline is its declaration and the table that follows from it', () => {
  const { name, topic, event, row, transform } = declaration
  const pipeline = define({})
  expect(pipeline).toMatchObject({ name, topic, event, row, transform })
  expect(pipeline.table.name).toBe('flights')
  expect(pipeline.table.columns.map((column) => column.name)).toEqual(['id', 'at', ...AUDIT_COLUMNS.map((c) => c.name)])
  expect(pipeline.table.partitionSpec).toMatchObject([{ column: 'at', transform: 'day', name: 'at_day' }])
})

test('a table need not be partitioned', () => {
  expect(define({ lake: { table: 'flights', layout: 'files' } }).table.partitionSpec).toEqual([])
})

describe('a wrong declaration is refused, and the pipeline and the option are named', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['unknown option', { retries: 3 }, 'pipeline flights: retries: unknown option; there are name, topic'],
    [
      'unknown option of the lake',
      { lake: { table: 't', layout: 'files', partitionedBy: {} } },
      'lake.partitionedBy: unknown option',
    ],
    ['name in capitals', { name: 'Flights' }, 'pipeline Flights: name: expected lower-case letters, digits and dashes'],
    ['name that begins with a digit', { name: '1st' }, 'name: expected'],
    ['name of 49 characters', { name: 'a'.repeat(49) }, 'name: expected'],
    ['name with a slash', { name: 'a/b' }, 'name: expected'],
    ['no name', { name: undefined }, 'pipeline undefined: name: expected'],
    ['topic that Kafka refuses', { topic: 'a b' }, 'topic: expected a name that Kafka accepts, found "a b"'],
    ['topic "."', { topic: '.' }, 'topic: expected'],
    ['topic ".."', { topic: '..' }, 'topic: expected'],
    ['topic of 250 characters', { topic: 'a'.repeat(250) }, 'topic: expected'],
    ['no topic', { topic: '' }, 'topic: expected'],
    ['event that is no schema', { event: { id: 'string' } }, 'event: expected a zod 4 schema'],
    ['event of zod 3', { event: { _def: {}, parse: () => 1 } }, 'event: expected a zod 4 schema'],
    ['no event', { event: undefined }, 'event: expected a zod 4 schema'],
    ['row that is no schema', { row: null }, 'row: expected a zod 4 schema'],
    ['row that is no object', { row: z.string() }, 'row: a row is a z.object'],
    [
      'row that Parquet cannot hold',
      { row: z.object({ id: z.any() }) },
      'pipeline flights: row.id: a Parquet column cannot',
    ],
    ['transform that is no function', { transform: {} }, 'transform: expected a function'],
    ['no lake', { lake: undefined }, 'lake: expected { table'],
    ['table in capitals', { lake: { table: 'Flights', layout: 'files' } }, 'lake.table: expected lower-case letters'],
    ['table with a dash', { lake: { table: 'a-b', layout: 'files' } }, 'lake.table: expected'],
    ['table of 129 characters', { lake: { table: 'a'.repeat(129) } }, 'lake.table: expected'],
    ['no table', { lake: {} }, 'lake.table: expected'],
    ['table of dead letters', { lake: { table: 'a_dead_letters' } }, 'ends like a table of dead letters'],
    ['no lock', { lake: { table: 'a' } }, 'lake.lock: an Iceberg table needs one'],
    ['layout', { lake: { table: 'a', layout: 'delta' } }, 'lake.layout: expected iceberg, files'],
    ['Iceberg of JSON', { lake: { table: 'a', layout: 'iceberg', format: 'jsonl.gz' } }, 'is of Parquet'],
    ['commits of plain files', { lake: { table: 'a', layout: 'files', commit: 'immediate' } }, 'no snapshots'],
    [
      'partition by an unknown field',
      { lake: { table: 't', layout: 'files', partitionBy: { nope: 'day' } } },
      'lake.partitionBy.nope: ',
    ],
    [
      'partition by day of a string',
      { lake: { table: 't', layout: 'files', partitionBy: { id: 'day' } } },
      'lake.partitionBy.id: "day"',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => define(changes)).toThrow(PipelineDefinitionError)
    expect(() => define(changes)).toThrow(message)
  })

  test('but not the longest and oddest names', () => {
    const [name, topic, table] = ['a'.repeat(48), '__My.Topic-1', `a_1${'b'.repeat(125)}`]
    expect(define({ name, topic, lake: { table, layout: 'files' } })).toMatchObject({
      name,
      topic,
      table: { name: table },
    })
  })
})

test('the trigger is a part of the pipeline, and its faults name the pipeline', () => {
  expect(define({}).trigger).toMatchObject({ mode: 'on-demand', batchSize: 10_000 })
  expect(define({ trigger: { batchSize: 500 } }).trigger).toMatchObject({ batchSize: 500, batchingWindowSeconds: 5 })
  expect(() => define({ trigger: { batchSize: 0 } })).toThrow('pipeline flights: trigger.batchSize: expected')
  expect(() => define({ trigger: null })).toThrow('pipeline flights: trigger: expected')
})

describe('the version', () => {
  test('does not depend on the trigger: how records come changes nothing of what becomes of them', () => {
    expect(define({ trigger: { batchSize: 1, filters: [{ value: ['x'] }] } }).version).toBe(define({}).version)
  })

  test('is the same for the same declaration', () => {
    const again = {
      event: z.object({ id: z.string(), at: z.iso.datetime() }),
      row: z.object({ id: z.string(), at: z.date() }),
    }
    expect(define(again).version).toBe(define({}).version)
    expect(define({}).version).toMatch(/^[0-9a-f]{12}$/)
  })

  test('differs for every part of the declaration that differs', () => {
    const changes: Record<string, unknown>[] = [
      {},
      { name: 'other' },
      { topic: 'other' },
      { event: z.object({ id: z.string().max(3), at: z.iso.datetime() }) },
      { event: z.object({ id: z.string().max(4), at: z.iso.datetime() }) },
      { event: z.object({ id: z.string().refine((id) => id !== 'x'), at: z.iso.datetime() }) },
      { event: z.object({ id: z.string().refine((id) => id !== 'y'), at: z.iso.datetime() }) },
      { event: z.object({ id: z.string().regex(/a/), at: z.iso.datetime() }) },
      { event: z.object({ id: z.string().regex(/b/), at: z.iso.datetime() }) },
      { event: z.strictObject({ id: z.string(), at: z.iso.datetime() }) },
      { event: z.object({ id: z.literal('a'), at: z.iso.datetime() }) },
      { event: z.object({ id: z.literal('b'), at: z.iso.datetime() }) },
      { event: z.object({ id: z.string(), at: z.iso.datetime(), n: z.bigint().max(1n) }) },
      { event: z.object({ id: z.string(), at: z.iso.datetime(), n: z.bigint().max(2n) }) },
      { row: z.object({ id: z.string().nullable(), at: z.date() }) },
      { row: z.object({ id: z.string().default('a'), at: z.date() }) },
      { row: z.object({ id: z.string().default('b'), at: z.date() }) },
      { row: z.object({ at: z.date(), id: z.string() }) },
      { transform: ({ value }: { value: { id: string } }) => ({ id: value.id, at: new Date(0) }) },
      { transform: ({ value }: { value: { id: string } }) => ({ id: value.id, at: new Date(1) }) },
      { lake: { table: 'other', layout: 'files', partitionBy: { at: 'day' } } },
      { lake: { table: 'flights', layout: 'files', partitionBy: { id: 'identity' } } },
      { lake: { table: 'flights', layout: 'files', partitionBy: { at: 'day', id: 'identity' } } },
      { lake: { table: 'flights', layout: 'files', partitionBy: { id: 'identity', at: 'day' } } },
      { lake: { table: 'flights', layout: 'files' } },
      { lake: { table: 'flights', layout: 'files', format: 'jsonl.gz' } },
      { lake: { table: 'flights', layout: 'files', keep: ['key'] } },
      { tombstones: 'reject' },
      { unknownKeys: 'reject' },
    ]
    const versions = new Map<string, Record<string, unknown>[]>()
    for (const change of changes) {
      const { version } = define(change)
      versions.set(version, [...(versions.get(version) ?? []), change])
    }
    expect([...versions.values()].filter((same) => same.length > 1)).toEqual([])
  })

  test('can be told of a recursive event', () => {
    const Tree = z.object({
      id: z.string(),
      get children() {
        return z.array(Tree)
      },
    })
    const declared = { event: Tree, row: z.object({ id: z.string() }), lake: { table: 't', layout: 'files' } }
    expect(define(declared).version).not.toBe(define({ ...declared, event: z.object({ id: z.string() }) }).version)
  })
})

test('a transform is not asynchronous', () => {
  const transform = (async () => ({ id: 1 })) as never as () => { id: number }
  const lake = { table: 'a' }
  expect(() =>
    definePipeline({ name: 'a', topic: 'a', event: z.object({}), row: z.object({ id: z.int() }), transform, lake }),
  ).toThrow('pipeline a: transform: expected a function that is not async')
})

test("a table is not partitioned by Inlet's own columns, nor does it keep a part twice", () => {
  const declare = (lake: object) => () =>
    definePipeline({
      name: 'a',
      topic: 'a',
      event: z.object({}),
      row: z.object({ id: z.int() }),
      transform: () => ({ id: 1 }),
      lake: { table: 'a', layout: 'files', ...lake },
    })
  expect(declare({ partitionBy: { _timestamp: 'day' } })).toThrow('pipeline a: lake.partitionBy._timestamp: ')
  expect(declare({ keep: ['key', 'key'] })).toThrow('pipeline a: lake.keep: names a part twice')
})
