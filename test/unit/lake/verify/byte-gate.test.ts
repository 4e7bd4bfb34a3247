import { setImmediate as settled } from 'node:timers/promises'
import { ByteGate } from '#shared/lake/verify/byte-gate.ts'

/** Calls that end when they are told to, and in what order they began. */
class Calls {
  readonly begun: string[] = []
  readonly gate: ByteGate
  readonly #ends = new Map<string, () => void>()

  constructor(budget: number) {
    this.gate = new ByteGate(budget)
  }

  pass(name: string, bytes: number): Promise<string> {
    return this.gate.pass(bytes, async () => {
      this.begun.push(name)
      await new Promise<void>((resolve) => {
        this.#ends.set(name, resolve)
      })
      return name
    })
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.()
    await settled()
  }
}

test('calls run as long as they fit together', async () => {
  const calls = new Calls(10)
  const passed = [calls.pass('a', 4), calls.pass('b', 6), calls.pass('c', 1)]
  await settled()
  expect(calls.begun).toEqual(['a', 'b'])
  await calls.end('b')
  expect(calls.begun).toEqual(['a', 'b', 'c'])
  await calls.end('a')
  await calls.end('c')
  expect(await Promise.all(passed)).toEqual(['a', 'b', 'c'])
})

test('nobody overtakes who waits, so that a large call has its turn', async () => {
  const calls = new Calls(10)
  void calls.pass('a', 6)
  void calls.pass('large', 8)
  void calls.pass('small', 1)
  await settled()
  expect(calls.begun).toEqual(['a'])
  await calls.end('a')
  expect(calls.begun).toEqual(['a', 'large', 'small'])
})

test('a call that is larger than all there is runs alone', async () => {
  const calls = new Calls(10)
  void calls.pass('a', 1)
  void calls.pass('huge', 1000)
  void calls.pass('b', 1)
  await settled()
  expect(calls.begun).toEqual(['a'])
  await calls.end('a')
  expect(calls.begun).toEqual(['a', 'huge'])
  await calls.end('huge')
  expect(calls.begun).toEqual(['a', 'huge', 'b'])
})

test('a call that fails gives back what it held', async () => {
  const gate = new ByteGate(10)
  await expect(gate.pass(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await gate.pass(10, async () => 'yes')).toBe('yes')
})
