import * as z from 'zod'
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
    lake: { table: 'acts', partitionBy: { at: 'day' } },
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
