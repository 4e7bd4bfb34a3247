import fc from 'fast-check'
import * as z from 'zod'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { type EventProducer, encoderOf, type producerOf } from '#shared/sources/kafka-producer.ts'

const Event = z.object({
  id: z.int64(),
  at: z.iso.datetime(),
  amount: z.number().nullable(),
  note: z.string().max(5).optional(),
  tag: z.string().default('none'),
})

const orders = definePipeline({
  name: 'orders',
  topic: 'orders',
  event: Event,
  row: z.object({ id: z.int64() }),
  transform: ({ value }) => ({ id: value.id }),
  lake: { table: 'orders', layout: 'files' },
  unknownKeys: 'reject',
})

const encode = encoderOf(orders)
const text = (event: unknown) => Buffer.from(encode(event)).toString()
const AT = '2026-01-31T00:00:00Z'

test('an event is written as it was given: defaults are for those who read', () => {
  expect(text({ id: 9007199254740993n, at: AT, amount: 1.5 })).toBe(`{"id":9007199254740993,"at":"${AT}","amount":1.5}`)
  expect(text({ id: 1n, at: new Date(AT), amount: null, tag: 'x' })).toContain('"at":"2026-01-31T00:00:00.000Z"')
})

test.each([
  [{ id: 1n, at: AT }, 'amount'],
  [{ id: 1n, at: AT, amount: Number.NaN }, 'amount: JSON has no NaN'],
  [{ id: 1n, at: AT, amount: Number.POSITIVE_INFINITY }, 'amount: JSON has no Infinity'],
  [{ id: 1n, at: 'today', amount: 1 }, 'at'],
  [{ id: 1n, at: AT, amount: 1, note: 'too long' }, 'note'],
  [{ id: 1n, at: AT, amount: 1, more: 1 }, 'Unrecognized key'],
  [{ id: 2n ** 64n, at: AT, amount: 1 }, 'id'],
  [{ id: 1n, at: AT, amount: 1, note: '\ud800' }, 'note'],
  [undefined, 'orders'],
])('%p is not sent, and the message says why', (event, message) => {
  expect(() => encode(event)).toThrow(
    expect.objectContaining({ name: 'EventInvalidError', message: expect.stringContaining(message) as unknown }),
  )
})

test('what is encoded is read as what was meant', () => {
  const events = fc.record({
    id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    at: fc.constant(AT),
    amount: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    tag: fc.string({ unit: 'grapheme' }),
  })
  fc.assert(
    fc.property(events, (event) => {
      const [digits = ''] = /(?<="id":)-?\d+/.exec(text(event)) ?? []
      const { amount, tag } = JSON.parse(text(event)) as { amount: number | null; tag: string }
      expect(BigInt(digits)).toBe(event.id)
      // JSON has one zero.
      expect([amount === null ? null : amount + 0, tag]).toEqual([
        event.amount === null ? null : event.amount + 0,
        event.tag,
      ])
    }),
  )
})

test('the compiler knows the events of a pipeline', () => {
  type Sent = Awaited<ReturnType<typeof producerOf<typeof orders.event>>> extends EventProducer<infer E> ? E : never
  const event: Sent = { id: 1n, at: AT, amount: null }
  // @ts-expect-error an event without a field
  const without: Sent = { id: 1n, at: AT }
  // @ts-expect-error a field of another type
  const other: Sent = { id: '1', at: AT, amount: null }
  expect([event, without, other]).toHaveLength(3)
})
