import * as z from 'zod'
import { compileContract } from '#shared/pipeline/contract.ts'

const Event = z.object({
  carrier: z.string(),
  delay: z.number().nullable(),
  stops: z.array(z.object({ gate: z.string().max(3) })),
})
const check = compileContract(Event, 'EVENT_INVALID')
const good = { carrier: 'UA', delay: null, stops: [{ gate: 'A1' }] }

test('a value that keeps the contract is what the schema makes of it', () => {
  const defaults = compileContract(z.object({ a: z.string().default('x'), b: z.coerce.number() }), 'ROW_INVALID')
  expect(defaults({ b: '7', unknown: true })).toEqual({ ok: true, value: { a: 'x', b: 7 } })
  expect(check(good)).toEqual({ ok: true, value: good })
})

test.each<[string, unknown, string | null]>([
  ['a field of another type', { ...good, carrier: 7 }, 'carrier'],
  ['a missing field', { delay: 1, stops: [] }, 'carrier'],
  ['a field within a list', { ...good, stops: [{ gate: 'A1' }, { gate: 'A123' }] }, 'stops[1].gate'],
  ['the value itself', ['UA'], null],
  ['null', null, null],
])('a rejection names the field at fault: %s', (_, value, field) => {
  const result = check(value)
  expect(result).toMatchObject({ ok: false, rejection: { code: 'EVENT_INVALID', field } })
})

test('a rejection says what was expected, and how many more faults there are', () => {
  const messages = [{ ...good, carrier: 7 }, { ...good, carrier: 7, delay: 'x' }, {}].map((value) => {
    const result = check(value)
    return result.ok ? '' : result.rejection.message
  })
  expect(messages[0]).toMatch(/expected string, received number$/)
  expect(messages[1]).toMatch(/expected string, received number \(and 1 more\)$/)
  expect(messages[2]).toMatch(/\(and 2 more\)$/)
})

test("a rejection's message holds nothing of the value", () => {
  const Secret = z.object({ pin: z.string().regex(/^\d+$/), level: z.enum(['a', 'b']), size: z.number().max(1) })
  const result = compileContract(Secret, 'EVENT_INVALID')({ pin: 'hunter2', level: 'hunter2', size: 31_337 })
  expect(JSON.stringify(result)).not.toMatch(/hunter2|31337/)
})
