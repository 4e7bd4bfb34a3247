/**
 * The decoder against a plain reader of RFC 8259: what it accepts, and as what, whatever became of the bytes on their way;
 * and that no bytes cost more than their share of work.
 */
import fc from 'fast-check'
import { decodeJson, jsonDecoder, MAX_DEPTH } from '#shared/codecs/json.ts'
import type { Step } from '#shared/pipeline/outcome.ts'
import { byteMutation, mutated } from '#test/helpers/byte-mutation.ts'
import { type JsonText, readJson } from '#test/helpers/json-reader.ts'

const utf8 = new TextEncoder()
const bigintText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

const decode = (text: string | Uint8Array, exactIntegers = false): Step<unknown> =>
  decodeJson(typeof text === 'string' ? utf8.encode(text) : text, { exactIntegers })

/** Any JSON value: text of whole characters, keys that need escapes, numbers of every size. */
const anyJson = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' })
const isForbidden = (key: string): boolean => key === '__proto__' || key === 'constructor'

/** What a reader of exact integers reads, as one that rounds them. */
function withoutBigint(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withoutBigint)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutBigint(part)]))
}

test('whatever JSON.stringify writes', () => {
  fc.assert(
    fc.property(anyJson, fc.constantFrom(undefined, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space)
      const read = readJson(text)
      fc.pre(read?.keys.some(isForbidden) === false)
      const step = decode(text)
      expect(step).toEqual({ ok: true, value: withoutBigint(read?.value) })
      expect(JSON.stringify((step as { value: unknown }).value, null, space)).toBe(text)
      expect(decode(text, true)).toEqual({ ok: true, value: read?.value })
    }),
    { numRuns: 400 },
  )
})

describe('bytes that went wrong on the way', () => {
  /** What must become of a text, by what a plain reader of RFC 8259 says of it. */
  function verdictOn(text: JsonText | undefined): string {
    if (text === undefined) return 'JSON_INVALID'
    if (text.depth > MAX_DEPTH || text.keys.some(isForbidden) || text.hasDuplicates) return 'refused'
    const isOverflow = (number: string): boolean => !Number.isFinite(Number(number))
    if (text.numbers.some(isOverflow) || ![...text.keys, ...text.strings].every((some) => some.isWellFormed()))
      return 'refused'
    return 'accepted'
  }

  /** JSON texts of few keys, so that some stand there twice, and of what the decoder looks for. */
  const { text: anyText } = fc.letrec<{ text: string }>((tie) => {
    const key = fc.constantFrom(
      '"a"',
      '"b"',
      '""',
      '"\\u0061"',
      '"\\\\"',
      '"\\n"',
      '"__proto__"',
      '"c\\u006fnstructor"',
      '"é"',
    )
    const scalar = fc.constantFrom('0', '-0', '1.5', '1e400', '1e-400', '9007199254740993', 'null', 'true')
    const string = fc.oneof(
      fc.constantFrom('"\\ud83d"', '"\\ud83d\\ude00"'),
      fc.string().map((some) => JSON.stringify(some)),
    )
    const list = fc.array(tie('text'), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`)
    const fields = fc.array(
      fc.tuple(key, tie('text')).map((field) => field.join(':')),
      { maxLength: 4 },
    )
    const object = fields.map((all) => `{${all.join(',')} }`)
    return { text: fc.oneof({ maxDepth: 4 }, scalar, string, list, object, object) }
  })

  test('are accepted only as what RFC 8259 says that they are', () => {
    const members = Object.getOwnPropertyNames(Object.prototype)
    const verdicts = new Map<string, number>()
    fc.assert(
      fc.property(anyText, fc.array(byteMutation, { maxLength: 3 }), (whole, mutations) => {
        const bytes = mutations.reduce(mutated, utf8.encode(whole))
        const text = Buffer.from(bytes).toString('utf8')
        const isUtf8 = Buffer.from(text).equals(bytes)
        const read = isUtf8 ? readJson(text) : undefined
        const verdict = isUtf8 ? verdictOn(read) : 'UTF8_INVALID'
        for (const exact of [false, true]) {
          const step = decode(bytes, exact)
          expect(step.ok ? 'accepted' : step.rejection.code.replace(/^JSON_(?!INVALID).*/, 'refused')).toBe(verdict)
          if (!step.ok) continue
          expect(step.value).toEqual(exact ? read?.value : withoutBigint(read?.value))
          expect(() => JSON.parse(text) as unknown).not.toThrow()
        }
        verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
      }),
      { numRuns: 2500, seed: 8259 },
    )
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(members)
    // Each verdict is reached often enough to mean something.
    for (const verdict of ['accepted', 'refused', 'JSON_INVALID', 'UTF8_INVALID'])
      expect([verdict, (verdicts.get(verdict) ?? 0) > 50]).toEqual([verdict, true])
  })
})

describe('the work grows with the bytes, not faster', () => {
  const N = 1 << 13
  test.each<[string, (n: number) => string]>([
    ['opening brackets', (n) => '['.repeat(n)],
    ['brackets', (n) => '['.repeat(n / 2) + ']'.repeat(n / 2)],
    ['quotes', (n) => '"'.repeat(n)],
    ['backslashes', (n) => `"${'\\'.repeat(n)}"`],
    ['strings', (n) => `[${'"",'.repeat(n / 3)}{"a":1,"a":1}]`],
    ['white space', (n) => `{"a"${' '.repeat(n / 2)}:1,"a"${' '.repeat(n / 2)}:1}`],
    ['keys', (n) => `{${Array.from({ length: n / 8 }, (_, i) => `"${i}k":1`).join()},"1k":1}`],
    ['escaped keys', (n) => `{${Array.from({ length: n / 8 }, (_, i) => `"${i}\\n":1`).join()},"1\\n":1}`],
    ['digits', (n) => '9'.repeat(n)],
    ['integers', (n) => `[${'9007199254740993,'.repeat(n / 16)}1]`],
    ['escapes', (n) => `"${'\\u0061'.repeat(n / 6)}"`],
  ])('%s', (_, textOf) => {
    const cost = (n: number): number => {
      const bytes = utf8.encode(textOf(n))
      const runs = Array.from({ length: 2 }, () => {
        const before = process.cpuUsage()
        decode(bytes, true)
        const { user, system } = process.cpuUsage(before)
        return user + system
      })
      return Math.min(...runs)
    }
    cost(N)
    // 16 times the bytes: 256 times the work if it were quadratic.
    expect(cost(16 * N)).toBeLessThan(64 * Math.max(cost(N), 200))
  })
})

test('a decoder that has seen many values says of each what one says that has seen none', () => {
  const key = fc.constantFrom('a', 'b', 'id', 'naïve', 'x y')
  const scalar = fc.oneof(
    fc.jsonValue({ maxDepth: 0 }),
    fc.integer(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
  )
  const flat = fc.dictionary(key, scalar, { noNullPrototype: true }).map((value) => JSON.stringify(value))
  const value = fc.oneof(
    flat,
    flat,
    anyJson.map((some) => JSON.stringify(some, null, 1)),
  )
  const batch = fc.array(fc.tuple(value, fc.option(byteMutation, { nil: undefined })), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(batch, fc.boolean(), (values, exactIntegers) => {
      const decodeNext = jsonDecoder({ exactIntegers })
      for (const [text, mutation] of values) {
        const bytes = mutation === undefined ? utf8.encode(text) : mutated(utf8.encode(text), mutation)
        const [step, expected] = [decodeNext(bytes), decode(bytes, exactIntegers)]
        expect(step).toStrictEqual(expected)
        // The keys are in the same order, too.
        expect(JSON.stringify(step, bigintText)).toBe(JSON.stringify(expected, bigintText))
      }
    }),
    { numRuns: 500 },
  )
})
