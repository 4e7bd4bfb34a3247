import * as fc from 'fast-check'
import { CallGate } from '#shared/lake/call-gate.ts'

/** Calls that end when they are told to. */
function controlled(gate: CallGate, calls: number) {
  const begun: number[] = []
  const ends: (() => void)[] = []
  const results = Array.from({ length: calls }, (_, i) =>
    gate.pass(async () => {
      begun.push(i)
      await new Promise<void>((resolve) => {
        ends[i] = resolve
      })
      return i
    }),
  )
  return { begun, end: (i: number) => ends[i]?.(), results }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('the limit runs, the others begin one by one as places become free, in the order in which they came', async () => {
  const { begun, end, results } = controlled(new CallGate(2), 5)
  await settle()
  expect(begun).toEqual([0, 1])
  end(1)
  await settle()
  expect(begun).toEqual([0, 1, 2])
  end(0)
  end(2)
  await settle()
  expect(begun).toEqual([0, 1, 2, 3, 4])
  end(3)
  end(4)
  expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4])
})

test('a call that fails frees its place, and its error is the caller’s', async () => {
  const gate = new CallGate(1)
  const failing = gate.pass(() => Promise.reject(new Error('no')))
  const next = gate.pass(async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
  expect(await gate.pass(async () => 'again')).toBe('again')
})

test('never more than the limit at a time, and all come through, whenever they come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.record({ ticks: fc.nat(3), gap: fc.nat(2), fails: fc.boolean() }), { maxLength: 20 }),
      async (limit, calls) => {
        const gate = new CallGate(limit)
        let [running, most, ended] = [0, 0, 0]
        const call = async (ticks: number, fails: boolean): Promise<void> => {
          running += 1
          most = Math.max(most, running)
          for (let i = 0; i < ticks; i++) await Promise.resolve()
          running -= 1
          ended += 1
          if (fails) throw new Error('no')
        }
        const results: Promise<void>[] = []
        for (const { ticks, gap, fails } of calls) {
          results.push(gate.pass(() => call(ticks, fails)).catch(() => undefined))
          for (let i = 0; i < gap; i++) await Promise.resolve()
        }
        await Promise.all(results)
        expect(most).toBeLessThanOrEqual(limit)
        expect(ended).toBe(calls.length)
      },
    ),
  )
})
