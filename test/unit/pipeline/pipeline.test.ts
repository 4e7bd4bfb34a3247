import * as z from 'zod'
import { AUDIT_COLUMNS } from '#shared/pipeline/columns.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { definePipeline, defineTable, type Pipeline } from '#shared/pipeline/pipeline.ts'

const Event = z.object({ id: z.string(), at: z.iso.datetime() })
const Row = z.object({ id: z.string(), at: z.date() })
const declaration = {
  name: 'flights',
  topic: 'flights',
  event: Event,
  row: Row,
  transform: ({ value }: { value: z.output<typeof Event> }) => ({ id: value.id, at: new Date(value.at) }),
  lake: { table: 'flights', partitionBy: { at: 'day' } },
}

/** Defines what the compiler would not let through: what a mistake in plain JavaScript, or `as`, would give. */
function define(changes: Record<string, unknown>): Pipeline {
  return definePipeline({ ...declaration, ...changes } as unknown as Parameters<typeof definePipeline>[0])
}

test('a pipeline is its declaration and the table that follows from it', () => {
  const { name, topic, event, row, transform } = declaration
  const pipeline = define({})
  expect(pipeline).toMatchObject({ name, topic, event, row, transform })
  expect(pipeline.table.name).toBe('flights')
  expect(pipeline.table.columns.map((column) => column.name)).toEqual(['id', 'at', ...AUDIT_COLUMNS.map((c) => c.name)])
  expect(pipeline.table.partitionSpec).toEqual([{ column: 'at', transform: 'day', name: 'at_day' }])
})

test('a table need not be partitioned', () => {
  expect(define({ lake: { table: 'flights' } }).table.partitionSpec).toEqual([])
})

describe('a wrong declaration is refused, and the pipeline and the option are named', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['unknown option', { retries: 3 }, 'pipeline flights: retries: unknown option; there are name, topic'],
    ['unknown option of the lake', { lake: { table: 't', partitionedBy: {} } }, 'lake.partitionedBy: unknown option'],
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
    ['table in capitals', { lake: { table: 'Flights' } }, 'lake.table: expected lower-case letters'],
    ['table with a dash', { lake: { table: 'a-b' } }, 'lake.table: expected'],
    ['table of 129 characters', { lake: { table: 'a'.repeat(129) } }, 'lake.table: expected'],
    ['no table', { lake: {} }, 'lake.table: expected'],
    [
      'partition by an unknown field',
      { lake: { table: 't', partitionBy: { nope: 'day' } } },
      'lake.partitionBy.nope: ',
    ],
    [
      'partition by day of a string',
      { lake: { table: 't', partitionBy: { id: 'day' } } },
      'lake.partitionBy.id: "day"',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => define(changes)).toThrow(PipelineDefinitionError)
    expect(() => define(changes)).toThrow(message)
  })

  test.each([
    ['name', { name: 'a'.repeat(48) }],
    ['topic', { topic: '__My.Topic-1' }],
    ['table', { lake: { table: `a_1${'b'.repeat(125)}` } }],
  ])('but not the longest or oddest %s', (_, changes) => {
    expect(define(changes)).toMatchObject(
      changes.lake === undefined ? changes : { table: { name: changes.lake.table } },
    )
  })
})

describe('the version', () => {
  test('is the same for the same declaration', () => {
    const again = {
      event: z.object({ id: z.string(), at: z.iso.datetime() }),
      row: z.object({ id: z.string(), at: z.date() }),
    }
    expect(define(again).version).toBe(define({}).version)
    expect(define({}).version).toMatch(/^[0-9a-f]{12}$/)
  })

  test.each<[string, Record<string, unknown>]>([
    ['name', { name: 'other' }],
    ['topic', { topic: 'other' }],
    ['event', { event: z.object({ id: z.string().max(3), at: z.iso.datetime() }) }],
    ['bound of an event field', { event: z.object({ id: z.string().max(4), at: z.iso.datetime() }) }],
    ['refinement', { event: z.object({ id: z.string().refine((id) => id !== 'x'), at: z.iso.datetime() }) }],
    ['pattern', { event: z.object({ id: z.string().regex(/a/), at: z.iso.datetime() }) }],
    ['row', { row: z.object({ id: z.string().nullable(), at: z.date() }) }],
    ['transform', { transform: ({ value }: { value: { id: string } }) => ({ id: value.id, at: new Date(0) }) }],
    ['table', { lake: { table: 'other', partitionBy: { at: 'day' } } }],
    ['partitions', { lake: { table: 'flights', partitionBy: { id: 'identity' } } }],
    ['partitions, taken away', { lake: { table: 'flights' } }],
  ])('changes with the %s', (_, changes) => {
    expect(define(changes).version).not.toBe(define({}).version)
  })

  test('can be told of a recursive event', () => {
    const Tree = z.object({
      id: z.string(),
      get children() {
        return z.array(Tree)
      },
    })
    const declared = { event: Tree, row: z.object({ id: z.string() }), lake: { table: 't' } }
    expect(define(declared).version).not.toBe(define({ ...declared, event: z.object({ id: z.string() }) }).version)
  })
})

describe('the ids of a table', () => {
  const [column] = AUDIT_COLUMNS.map((audit) => ({ ...audit, name: 'at', type: { kind: 'timestamp' as const } }))
  const columns = column === undefined ? [] : [column]
  const plain = defineTable('t', columns, {})

  test('of the schema change with the columns only', () => {
    expect(defineTable('t', columns, { at: 'day' }).schemaId).toBe(plain.schemaId)
    expect(
      defineTable(
        't',
        columns.map((c) => ({ ...c, nullable: true })),
        {},
      ).schemaId,
    ).not.toBe(plain.schemaId)
  })

  test('of the partition spec change with the spec only', () => {
    expect(
      defineTable(
        't',
        columns.map((c) => ({ ...c, nullable: true })),
        {},
      ).specId,
    ).toBe(plain.specId)
    expect(defineTable('t', columns, { at: 'day' }).specId).not.toBe(plain.specId)
  })
})
