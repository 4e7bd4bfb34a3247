import * as z from 'zod'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import type { Outcome } from '#shared/pipeline/outcome.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { compileRecordPath } from '#shared/pipeline/record-path.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'

/** What the transform does is up to the event. */
const Event = z.object({ act: z.string(), at: z.iso.datetime().default('2013-01-01T10:00:00Z') })
const Row = z.object({ id: z.string().max(9), at: z.date(), note: z.string().default('none') })
const at = new Date('2013-01-01T10:00:00Z')
const day = 15_706

const path = compileRecordPath(
  definePipeline({
    name: 'acts',
    topic: 'acts',
    event: Event,
    row: Row,
    transform: ({ value, record }) => {
      const row = { id: value.act, at: new Date(value.at) }
      switch (value.act) {
        case 'skip':
          return null
        case 'none':
          return []
        case 'two':
          return [row, { ...row, id: 'second' }]
        case 'throw':
          throw new RangeError('no such act')
        case 'throw text':
          // oxlint-disable-next-line only-throw-error -- what a careless owner may write
          throw 'text'
        case 'bad row':
          return { ...row, id: 'more than nine characters' }
        case 'one bad row':
          return [row, { ...row, id: 'more than nine characters' }]
        case 'position':
          return { ...row, id: `${record.topic}@${record.offset}` }
        case 'undefined':
          return undefined as never
        case 'text':
          return 'a row' as never
        default:
          return row
      }
    },
    lake: { table: 'acts', layout: 'files', partitionBy: { at: 'day' } },
  }),
)

const act = (name: string, changes: Partial<KafkaRecord> = {}): Outcome =>
  path(kafkaRecord(JSON.stringify({ act: name }), changes))
const written = (...ids: string[]): Outcome => ({
  kind: 'written',
  rows: ids.map((id) => ({ row: { id, at, note: 'none' }, partition: [day] })),
})

describe('a record is written', () => {
  test('as what the row contract makes of the transform, in its table partition', () => {
    expect(act('one')).toEqual(written('one'))
  })

  test('as several rows', () => {
    expect(act('two')).toEqual(written('two', 'second'))
  })

  test('with what the transform takes from the record', () => {
    expect(act('position', { topic: 't', offset: 42 })).toEqual(written('t@42'))
  })
})

describe('a record is skipped', () => {
  test.each(['skip', 'none'])('when the transform says so: %s', (name) => {
    expect(act(name)).toEqual({ kind: 'skipped', reason: 'transform' })
  })

  test('when it is a tombstone', () => {
    expect(path(kafkaRecord(null))).toEqual({ kind: 'skipped', reason: 'tombstone' })
  })
})

describe('a record is rejected', () => {
  test.each<[string, string | Uint8Array, string, string | null]>([
    ['no bytes at all, which are no tombstone', '', 'JSON_INVALID', null],
    ['no JSON', '{"act":', 'JSON_INVALID', null],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'UTF8_INVALID', null],
    ['an event that breaks the contract', '{"act":1}', 'EVENT_INVALID', 'act'],
    ['JSON that is no event', '"one"', 'EVENT_INVALID', null],
    ['a row that breaks the contract', '{"act":"bad row"}', 'ROW_INVALID', 'id'],
    ['one row of several that breaks the contract: none is written', '{"act":"one bad row"}', 'ROW_INVALID', 'id'],
    ['a transform that returns nothing', '{"act":"undefined"}', 'ROW_INVALID', null],
    ['a transform that returns no row', '{"act":"text"}', 'ROW_INVALID', null],
    ['a transform that throws', '{"act":"throw"}', 'TRANSFORM_THREW', null],
  ])('%s', (_, value, code, field) => {
    expect(path(kafkaRecord(value))).toMatchObject({ kind: 'rejected', rejection: { code, field } })
  })

  test('with what the transform threw', () => {
    const messages = ['throw', 'throw text'].map((name) => {
      const outcome = act(name)
      return outcome.kind === 'rejected' ? outcome.rejection.message : outcome.kind
    })
    expect(messages).toEqual(['the transform threw RangeError: no such act', 'the transform threw string: text'])
  })
})

test('records do not know of one another: the same record has the same outcome whatever came before', () => {
  const names = ['one', 'two', 'skip', 'throw', 'bad row', 'one bad row']
  const alone = names.map((name) => act(name))
  const reversed = names.toReversed().map((name) => act(name))
  expect(reversed.toReversed()).toEqual(alone)
})

describe('a tombstone', () => {
  const Key = z.object({ id: z.string().nullable(), at: z.date().optional() })
  function pathOf(tombstones: 'skip' | 'reject' | 'row'): (value: Uint8Array | string | null) => Outcome {
    const declared = definePipeline({
      name: 'keys',
      topic: 'keys',
      event: z.object({ id: z.string() }),
      row: Key,
      transform: ({ value }) => ({ id: value.id }),
      lake: { table: 'keys', layout: 'files', partitionBy: { at: 'day', id: 'identity' }, keep: ['key'] },
      tombstones,
    })
    const compiled = compileRecordPath(declared)
    return (value) => compiled(kafkaRecord(value, { key: Buffer.from('k1') }))
  }

  test('is skipped, refused, or a row without values, as the pipeline says', () => {
    expect(pathOf('skip')(null)).toEqual({ kind: 'skipped', reason: 'tombstone' })
    expect(pathOf('reject')(null)).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'VALUE_MISSING', field: null },
    })
    expect(pathOf('row')(null)).toEqual({ kind: 'written', rows: [{ row: {}, partition: [null, null] }] })
  })

  test.each(['skip', 'reject', 'row'] as const)('is not what an empty value is, nor null as JSON: %s', (policy) => {
    expect(pathOf(policy)('')).toMatchObject({ kind: 'rejected', rejection: { code: 'JSON_INVALID' } })
    expect(pathOf(policy)(new Uint8Array())).toMatchObject({ kind: 'rejected', rejection: { code: 'JSON_INVALID' } })
    expect(pathOf(policy)('null')).toMatchObject({ kind: 'rejected', rejection: { code: 'EVENT_INVALID' } })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['a field must not be null', { row: z.object({ id: z.string() }) }, 'row.id: tombstones as rows need every field'],
    [
      'one of several must not',
      { row: z.object({ id: z.string().nullish(), n: z.int().default(0) }) },
      'row.n: tombstones',
    ],
    [
      'the key is not kept',
      { lake: { table: 'keys', layout: 'files', keep: ['headers'] } },
      "lake.keep: tombstones as rows need 'key'",
    ],
    ['nothing is kept', { lake: { table: 'keys', layout: 'files' } }, "lake.keep: tombstones as rows need 'key'"],
    ['there is no such policy', { tombstones: 'delete' }, 'tombstones: expected skip, reject, row, found "delete"'],
  ])('cannot become a row when %s', (_, changes, message) => {
    const declared = {
      name: 'keys',
      topic: 'keys',
      event: z.object({}),
      row: Key,
      transform: () => null,
      lake: { table: 'keys', layout: 'files', keep: ['key'] },
      tombstones: 'row',
    }
    expect(() => definePipeline({ ...declared } as never)).not.toThrow()
    expect(() => definePipeline({ ...declared, ...changes } as never)).toThrow(PipelineDefinitionError)
    expect(() => definePipeline({ ...declared, ...changes } as never)).toThrow(message)
  })
})

describe('whatever code of the owner throws or returns, the record is refused', () => {
  /** A pipeline of which only this is odd. */
  function outcomeOf(odd: () => unknown, sensitive = false): Outcome {
    const declared = definePipeline({
      name: 'odd',
      topic: 'odd',
      event: z.object({ pin: sensitive ? z.string().meta({ sensitive: true }) : z.string() }),
      row: z.object({ a: z.string().nullish() }),
      transform: () => odd() as never,
      lake: { table: 'odd', layout: 'files' },
    })
    return compileRecordPath(declared)(kafkaRecord('{"pin":"hunter2"}'))
  }
  const thrower = (thrown: unknown) => (): never => {
    throw thrown
  }
  const getter = {
    get a(): string {
      throw new Error('hunter2')
    },
  }
  const told = (outcome: Outcome): unknown =>
    outcome.kind === 'rejected' ? [outcome.rejection.code, outcome.rejection.message] : outcome

  test.each<[string, () => unknown, string, string]>([
    ['an error', thrower(new Error('hunter2')), 'TRANSFORM_THREW', 'the transform threw Error: hunter2'],
    [
      'an object without text',
      thrower(Object.create(null)),
      'TRANSFORM_THREW',
      'the transform threw something that has no text',
    ],
    [
      'half of a surrogate pair',
      thrower(new Error('a\ud83d')),
      'TRANSFORM_THREW',
      'the transform threw Error: a\ufffd',
    ],
    ['a promise', () => Promise.resolve({ a: 'x' }), 'ROW_INVALID', 'expected a row, found a promise'],
    ['promises', () => [Promise.resolve({ a: 'x' })], 'ROW_INVALID', 'expected a row, found a promise'],
    [
      'a list with a hole',
      () => Array.from({ length: 1 }),
      'ROW_INVALID',
      'Invalid input: expected object, received undefined',
    ],
    ['a row that throws', () => getter, 'ROW_INVALID', 'the contract threw Error: hunter2'],
    [
      'a row of another type',
      () => ({ a: 7 }),
      'ROW_INVALID',
      'Invalid input: expected string, received number, found 7',
    ],
  ])('%s', (_, odd, code, message) => {
    expect(told(outcomeOf(odd))).toEqual([code, message])
    // And tells nothing when the event may hold something sensitive.
    const quiet = outcomeOf(odd, true)
    expect(quiet).toMatchObject({ kind: 'rejected', rejection: { code } })
    expect(JSON.stringify(quiet)).not.toMatch(/hunter2|found 7/)
  })

  test('with a short message', () => {
    const [, message] = told(outcomeOf(thrower(new Error('x'.repeat(1_000_000))))) as [string, string]
    expect(message.length).toBeLessThan(350)
  })
})

describe('what is sensitive in an event', () => {
  const Card = z.object({
    id: z.string(),
    card: z.record(z.string(), z.string()).meta({ sensitive: true }).optional(),
    pin: z.string().meta({ sensitive: true }).optional(),
  })
  const declared = definePipeline({
    name: 'cards',
    topic: 'cards',
    event: Card,
    row: z.object({ id: z.string(), last: z.string().max(4).optional(), by: z.record(z.string(), z.int()).optional() }),
    transform: ({ value: { id, pin, card } }) => {
      if (pin === undefined) return { id, by: card as never }
      return { id, last: pin }
    },
    lake: { table: 'cards', layout: 'files' },
    unknownKeys: 'reject',
  })

  test.each<[string, string, string, string | null]>([
    ['a key twice within', '{"id":"x","card":{"hunter2":"a","hunter2":"b"}}', 'JSON_DUPLICATE_KEY', 'card'],
    ['half of a surrogate pair within', '{"id":"x","card":{"hunter2":"\\ud83d"}}', 'JSON_LONE_SURROGATE', 'card'],
    ['a forbidden key within', '{"id":"x","card":{"hunter2":{"__proto__":1}}}', 'JSON_FORBIDDEN_KEY', 'card'],
    ['a number too large in its place', '{"id":"x","pin":[{"hunter2":1e999}]}', 'JSON_NUMBER_OVERFLOW', 'pin'],
    ['another type within', '{"id":"x","card":{"hunter2":7}}', 'EVENT_INVALID', 'card'],
    ['an unknown key', '{"id":"x","hunter2":1}', 'EVENT_INVALID', null],
    ['a row that cannot hold it', '{"id":"x","pin":"hunter2"}', 'ROW_INVALID', 'last'],
    ['a row of its keys', '{"id":"x","card":{"hunter2":"y"}}', 'ROW_INVALID', 'by'],
  ])('is not told: %s', (_, text, code, field) => {
    const outcome = compileRecordPath(declared)(kafkaRecord(text))
    expect(outcome).toMatchObject({ kind: 'rejected', rejection: { code, field } })
    expect(JSON.stringify(outcome)).not.toContain('hunter2')
  })
})

test('a transform is given the whole record', () => {
  const declared = definePipeline({
    name: 'parts',
    topic: 'parts',
    event: z.object({}),
    row: z.object({ at: z.date(), key: z.string().nullable(), trace: z.array(z.string()), type: z.string() }),
    transform: ({ record: { key, headers, timestamp, timestampType } }) => ({
      at: new Date(timestamp),
      key: key === null ? null : Buffer.from(key).toString('utf8'),
      trace: headers.filter(({ name }) => name === 'trace').map((header) => Buffer.from(header.value).toString('hex')),
      type: timestampType,
    }),
    lake: { table: 'parts', layout: 'files' },
  })
  const headers = [
    { name: 'trace', value: Uint8Array.of(1, 255) },
    { name: 'other', value: new Uint8Array() },
    { name: 'trace', value: new Uint8Array() },
  ]
  const parts = { key: Buffer.from('k é'), timestamp: 5, timestampType: 'LOG_APPEND_TIME' as const, headers }
  const row = (changes: Partial<KafkaRecord>): unknown => {
    const outcome = compileRecordPath(declared)(kafkaRecord('{}', changes))
    return outcome.kind === 'written' ? outcome.rows[0]?.row : outcome
  }
  expect(row(parts)).toEqual({ at: new Date(5), key: 'k é', trace: ['01ff', ''], type: 'LOG_APPEND_TIME' })
  expect(row({ ...parts, key: null, headers: [] })).toMatchObject({ key: null, trace: [] })
})
