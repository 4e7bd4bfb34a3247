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

test('a rejection says what was expected, what was found, and how many more faults there are', () => {
  const messages = [{ ...good, carrier: 7 }, { ...good, carrier: 7, delay: 'x' }, {}].map((value) => {
    const result = check(value)
    return result.ok ? '' : result.rejection.message
  })
  expect(messages[0]).toMatch(/expected string, received number, found 7$/)
  expect(messages[1]).toMatch(/expected string, received number, found 7 \(and 1 more\)$/)
  expect(messages[2]).toMatch(/\(and 2 more\)$/)
})

test('what was found is shortened, and objects are not told', () => {
  const long = check({ ...good, carrier: 'UA', stops: [{ gate: 'x'.repeat(1000) }] })
  expect(JSON.stringify(long).length).toBeLessThan(200)
  const object = check({ ...good, carrier: { name: 'hunter2' } })
  expect(JSON.stringify(object)).not.toContain('hunter2')
})

describe('what is sensitive', () => {
  const secret = z
    .string()
    .regex(/^\d+$/, { error: (issue) => `not ${String(issue.input)}` })
    .meta({ sensitive: true })
  const Secret = z.object({
    pin: secret,
    level: z.enum(['a', 'b']),
    inner: z.array(z.object({ pin: secret.nullable() })),
  })
  const value = { pin: '1', level: 'a', inner: [] }

  test.each<[string, unknown, string]>([
    ['a field', { ...value, pin: 'hunter2' }, 'pin'],
    ['a field far within', { ...value, inner: [{ pin: 'hunter2' }] }, 'inner[0].pin'],
  ])('never shows in a message, nor does what its own message quotes: %s', (_, some, field) => {
    const result = compileContract(Secret, 'EVENT_INVALID')(some)
    expect(result).toMatchObject({ ok: false, rejection: { field } })
    expect(JSON.stringify(result)).not.toContain('hunter2')
  })

  test('does not keep other fields from being told', () => {
    const result = compileContract(Secret, 'EVENT_INVALID')({ ...value, level: 'c' })
    expect(result.ok ? '' : result.rejection.message).toContain('found "c"')
  })

  test('nothing is told of any value when the contract is to be quiet', () => {
    const result = compileContract(Event, 'ROW_INVALID', { quiet: true })({ ...good, carrier: 31_337 })
    expect(result).toMatchObject({ ok: false, rejection: { field: 'carrier' } })
    expect(JSON.stringify(result)).not.toContain('31337')
  })
})

describe('a contract that throws refuses the value', () => {
  test.each<[string, z.ZodType]>([
    ['in a refinement', z.string().refine((text) => BigInt(text) > 0n)],
    ['in a transform', z.string().transform((text) => JSON.parse(text) as unknown)],
    ['because it is asynchronous', z.string().refine(() => Promise.resolve(true))],
  ])('%s', (_, schema) => {
    expect(compileContract(schema, 'EVENT_INVALID')('{')).toMatchObject({
      ok: false,
      rejection: { code: 'EVENT_INVALID', field: null, message: expect.stringMatching(/^the contract threw \w/) },
    })
  })
})

describe('a message is text that a dead letter can hold', () => {
  const messageOf = (schema: z.ZodType, value: unknown): string => {
    const result = compileContract(schema, 'EVENT_INVALID')(value)
    return result.ok ? '' : result.rejection.message
  }

  test.each<[string, z.ZodType, unknown, string]>([
    ['text', z.int(), 'x', 'Invalid input: expected number, received string, found "x"'],
    ['long text', z.string().max(1), 'é'.repeat(100), `found "${'é'.repeat(40)}…"`],
    ['text with a surrogate pair at the cut', z.int(), `${'x'.repeat(39)}😀y`, `found "${'x'.repeat(39)}…"`],
    ['half of a surrogate pair', z.int(), 'a\ud83d', 'found "a\\ud83d"'],
    ['a bigint of many digits', z.int64(), 10n ** 400n, `found 1${'0'.repeat(39)}…`],
    ['true', z.int(), true, 'found true'],
    ['NaN', z.int(), Number.NaN, 'found NaN'],
  ])('with what was found: %s', (_, schema, value, message) => {
    expect(messageOf(schema, value)).toContain(message)
    expect(messageOf(schema, value).isWellFormed()).toBe(true)
  })

  test.each<[string, z.ZodType, unknown]>([
    ['nothing', z.object({ a: z.string() }), {}],
    ['null', z.string(), null],
    ['what every object has', z.object({ toString: z.string() }), {}],
    ['a list', z.string(), ['hunter2']],
    ['a function', z.string(), () => 'hunter2'],
    ['a symbol', z.string(), Symbol('hunter2')],
  ])('but not with %s', (_, schema, value) => {
    expect(messageOf(schema, value)).toMatch(/^Invalid input: expected string, received \w+$/)
  })

  test('when the contract itself says something odd', () => {
    const odd = z.string().refine(() => false, { error: `half \ud83d of ${'x'.repeat(1000)}` })
    expect(messageOf(odd, 'v').isWellFormed()).toBe(true)
    expect(messageOf(odd, 'v').length).toBeLessThan(350)
  })
})

describe('in a contract with something sensitive', () => {
  const Open = z.object({ a: z.int(), list: z.array(z.strictObject({ b: z.string() })) })
  const Secret = Open.extend({
    pin: z.string().meta({ sensitive: true }).optional(),
    keys: z.record(z.string(), z.int()).optional(),
    when: z
      .string()
      .superRefine((text, context) => {
        context.addIssue({ code: 'custom', message: `not ${text}`, path: [] })
      })
      .optional(),
  })
  const value = { a: 1, list: [{ b: 'x' }] }
  const explained = (schema: z.ZodType, some: unknown): unknown => {
    const result = compileContract(schema, 'EVENT_INVALID')(some)
    return result.ok ? result : [result.rejection.field, result.rejection.message]
  }

  test('an object that holds it does not name its unknown keys, nor does any other', () => {
    const unknown = { ...value, list: [{ b: 'x', hunter2: 1 }] }
    expect(explained(Open, unknown)).toEqual(['list[0]', 'Unrecognized key: "hunter2"'])
    expect(explained(Secret, unknown)).toEqual(['list[0]', 'Invalid input (unrecognized_keys)'])
    expect(explained(Secret.strict(), { ...value, hunter2: 1 })).toEqual([null, 'Invalid input (unrecognized_keys)'])
  })

  test("an owner's own message is not told: it may quote what it likes", () => {
    expect(explained(Secret, { ...value, when: 'hunter2' })).toEqual(['when', 'Invalid input (custom)'])
    const quoting = z
      .object({ pin: z.string().meta({ sensitive: true }), other: z.string() })
      .superRefine(({ pin }, context) => {
        context.addIssue({ code: 'custom', message: `does not fit ${pin}`, path: ['other'] })
      })
    expect(explained(quoting, { pin: 'hunter2', other: 'x' })).toEqual(['other', 'Invalid input (custom)'])
  })

  test('keys of a record are data', () => {
    expect(explained(Secret, { ...value, keys: { hunter2: 'x' } })).toEqual(['keys', 'Invalid input: expected number'])
  })

  test('formats are named', () => {
    const pin = z.string().regex(/^\d+$/).meta({ sensitive: true })
    expect(explained(z.object({ pin }), { pin: 'hunter2' })).toEqual(['pin', 'Invalid input (regex)'])
    expect(explained(z.object({ pin: pin.max(3) }), { pin: '31337' })).toEqual(['pin', 'Invalid input (too_big)'])
  })

  test('what is thrown is named by its class', () => {
    const throwing = z.object({
      pin: z
        .string()
        .meta({ sensitive: true })
        .transform((pin) => BigInt(pin)),
    })
    expect(explained(throwing, { pin: 'hunter2' })).toEqual([null, 'the contract threw SyntaxError'])
  })
})
