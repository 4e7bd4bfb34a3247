/**
 * Whatever bytes are delivered, each record ends in one place, with its bytes, and nothing else happens: a short run of
 * `npm run fuzz` (see test/fuzz/record-path.ts), and proof that it would notice.
 */
import type { Flow } from '#shared/pipeline/flow.ts'
import { type Outcome, REJECTIONS } from '#shared/pipeline/outcome.ts'
import { faultOf } from '#test/fuzz/faults.ts'
import { type Failure, readValues, runCase, writeValues } from '#test/fuzz/runs.ts'
import { shrunk } from '#test/fuzz/shrink.ts'
import { type Subject, subjects } from '#test/fuzz/subjects.ts'
import { type Value, valuesFor } from '#test/fuzz/values.ts'
import { land, recordsOf } from '#test/helpers/landing.ts'
import { Random } from '#test/helpers/simulation/random.ts'

const SEED = 20_130_101
const all = subjects()
const subject = (name: string): Subject => all.get(name) as Subject
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

test.each([...all.keys()])(
  'random, cut and mutated records of %s',
  async (name) => {
    const failures: Failure[] = []
    for (let number = 0; number < 15 && failures.length === 0; number++) {
      const failure = await runCase(subject(name), SEED, number)
      if (failure !== undefined) failures.push(failure)
    }
    const told = failures.map(
      ({ fault, values }) => `${fault}: npm run fuzz -- --pipeline ${name} --values ${writeValues(values)}`,
    )
    expect(told).toEqual([])
  },
  120_000,
)

test('the cases reach every outcome and every reason to refuse', async () => {
  const { flow, samples } = subject('everything')
  const seen = new Set<string>()
  for (let number = 0; number < 400; number++) {
    for (const value of valuesFor(new Random(number), samples, 4)) {
      const outcome = flow.recordPath(recordsOf([value])[0] as Parameters<typeof flow.recordPath>[0])
      seen.add(outcome.kind === 'rejected' ? outcome.rejection.code : outcome.kind)
    }
  }
  expect(seen).toEqual(
    new Set([...Object.keys(REJECTIONS).filter((code) => code !== 'PARTITION_INVALID'), 'skipped', 'written']),
  )
})

describe('broken records that would make sense side by side', () => {
  const { flow, samples } = subject('flights')
  const [first = '', second = ''] = samples
  const half = Math.floor(first.length / 2)

  test.each<[string, readonly string[]]>([
    ['a list across two records', ['{"x":[1', '2]}']],
    ['two values in one', [`${first},${second}`]],
    ['an event cut in two', [first.slice(0, half), first.slice(half)]],
    ['a string that swallows what follows', [`${first.slice(0, half)}\\`, `"${first}`]],
    ['brackets that close each other', ['[', ']']],
    ['commas', [',', `,${first}`]],
    ['an opening and a closing comment', [`/*${first}`, '*/']],
    ['a line break within', [`${first.slice(0, half)}\n${first.slice(half)}`.replace('":', '"\n"')]],
  ])('stay broken, and their neighbours whole: %s', async (_, broken) => {
    const values = [first, ...broken, second, ...broken, first]
    const { rows, deadLetters, reports } = await land(flow, recordsOf(values, { topic: 'flights' }))
    const isWhole = (value: string): boolean => value === first || value === second
    const offsets = (whole: boolean): number[] => values.flatMap((value, i) => (isWhole(value) === whole ? [i] : []))
    expect(rows.map((row) => Number(row['_offset']))).toEqual(offsets(true))
    expect(deadLetters.map((letter) => Number(letter['_offset']))).toEqual(offsets(false))
    expect(deadLetters.every(({ code }) => code === 'JSON_INVALID')).toBe(true)
    expect(reports).toMatchObject([{ written: 3, rejected: values.length - 3, error: null }])
    expect(await faultOf(flow, values.map(bytes))).toBeUndefined()
  })
})

describe('the work grows with the bytes, not faster', () => {
  const { flow, samples } = subject('everything')
  const [event = ''] = samples
  test.each<[string, (n: number) => string]>([
    ['a text', (n) => event.replace('naïve', 'x'.repeat(n))],
    ['escapes', (n) => event.replace('naïve', '\\\\'.repeat(n / 2))],
    ['a text of pairs that a column is cut from', (n) => event.replace('naïve', '😀'.repeat(n / 2))],
    ['a list', (n) => event.replace('[1,2.5,"x"]', `[${'1,'.repeat(n / 2)}1]`)],
    ['a list that ends badly', (n) => event.replace('[1,2.5,"x"]', `[${'1,'.repeat(n / 2)}true]`)],
    ['keys', (n) => event.replace('"a":"b"', Array.from({ length: n / 16 }, (_, i) => `"${i}":null`).join())],
    [
      'unknown keys',
      (n) => event.replace('"act"', `${Array.from({ length: n / 16 }, (_, i) => `"x${i}":0,`).join('')}"act"`),
    ],
    ['digits', (n) => event.replace('"number":0', `"number":0.${'1'.repeat(n)}`)],
    ['digits of an integer', (n) => event.replace(/"id":\d+/, `"id":${'9'.repeat(n)}`)],
    ['digits that are parsed', (n) => event.replace('"9007199254740993"', `"${'9'.repeat(Math.min(n, 1 << 16))}"`)],
    ['brackets', (n) => '['.repeat(n)],
    ['quotes', (n) => '"'.repeat(n)],
  ])('%s', async (_, textOf) => {
    const cost = async (n: number): Promise<number> => {
      const records = recordsOf([textOf(n), textOf(n)], { topic: 'everything' })
      const runs: number[] = []
      for (let run = 0; run < 2; run++) {
        const before = process.cpuUsage()
        await land(flow, records)
        const { user, system } = process.cpuUsage(before)
        runs.push(user + system)
      }
      return Math.min(...runs)
    }
    const N = 1 << 11
    await cost(N)
    // 16 times the bytes: 256 times the work if it were quadratic.
    expect(await cost(16 * N)).toBeLessThan(64 * Math.max(await cost(N), 1000))
  })
})

describe('a fault is noticed, and told by a small input', () => {
  const whole = subject('everything')
  const { flow } = whole
  const path = flow.recordPath
  const changed = (change: (outcome: Outcome, value: Value) => Outcome): Flow => ({
    ...flow,
    recordPath: (record) => change(path(record), record.value),
  })

  const FAULTS: Readonly<Record<string, readonly [broken: Flow, fault: RegExp, bytes: number]>> = {
    'a record path that throws': [
      changed((outcome, value) => {
        if (value?.includes(0x7d) === true) throw new Error('a brace')
        return outcome
      }),
      /the slice failed: UNEXPECTED/,
      1,
    ],
    'one that skips what is broken': [
      changed((outcome) => (outcome.kind === 'rejected' ? { kind: 'skipped', reason: 'transform' } : outcome)),
      /decoded/,
      0,
    ],
    'one that writes no row': [
      changed((outcome) => (outcome.kind === 'written' ? { ...outcome, rows: [] } : outcome)),
      /UNBALANCED/,
      400,
    ],
    'one that takes a duplicate key': [
      changed((outcome) =>
        outcome.kind === 'rejected' && outcome.rejection.code === 'JSON_DUPLICATE_KEY'
          ? { kind: 'rejected', rejection: { ...outcome.rejection, code: 'EVENT_INVALID' } }
          : outcome,
      ),
      /it was decoded/,
      150,
    ],
    'a message that no column holds': [
      changed((outcome) =>
        outcome.kind === 'rejected' ? { ...outcome, rejection: { ...outcome.rejection, message: '\ud83d' } } : outcome,
      ),
      /UNBALANCED/,
      0,
    ],
    'a message that tells too much': [
      changed((outcome, value) =>
        outcome.kind === 'rejected'
          ? { ...outcome, rejection: { ...outcome.rejection, message: Buffer.from(value ?? []).toString('latin1') } }
          : outcome,
      ),
      /its message/,
      500,
    ],
    'a path that remembers': [
      (() => {
        let calls = 0
        return changed((outcome) =>
          calls++ % 2 === 1 && outcome.kind === 'written' ? { kind: 'skipped', reason: 'transform' } : outcome,
        )
      })(),
      /alone/,
      400,
    ],
    'code that changes what all objects have': [
      changed((outcome) => {
        Reflect.defineProperty(Object.prototype, 'polluted', { value: 1, configurable: true })
        return outcome
      }),
      /Object\.prototype was changed/,
      0,
    ],
  }

  test.each(Object.entries(FAULTS))(
    '%s',
    async (_, [broken, fault, most]) => {
      let failure: Failure | undefined
      try {
        for (let number = 0; number < 40 && failure === undefined; number++)
          failure = await runCase({ ...whole, flow: broken }, SEED, number)
      } finally {
        Reflect.deleteProperty(Object.prototype, 'polluted')
      }
      expect(failure?.fault).toMatch(fault)
      const length = (failure?.values ?? []).reduce((sum, value) => sum + (value?.length ?? 0), 0)
      expect(length).toBeLessThanOrEqual(most)
    },
    60_000,
  )

  test('an input is made smaller as far as it fails', async () => {
    const values = ['x'.repeat(100), `${'y'.repeat(50)}{${'z'.repeat(50)}`, null, 'w'].map((text) =>
      text === null ? null : bytes(text),
    )
    const small = await shrunk(values, (some) => Promise.resolve(some.some((value) => value?.includes(0x7b) === true)))
    expect(small).toEqual([bytes('{')])
  })

  test('and can be told on a command line', () => {
    const values = [null, new Uint8Array(), bytes('{"a":1}'), Uint8Array.of(0, 255)]
    expect(readValues(writeValues(values))).toEqual(values)
  })
})
