import { type BreakerMemory, EndpointBreaker } from '#shared/scoring/endpoint-breaker.ts'
import { breakerMemory } from '#shared/runtimes/scorer.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

test('a cold start knows that the endpoint is away, and that it is back', async () => {
  const memory = breakerMemory(new MemoryStore())
  const first = new EndpointBreaker('e', memory)
  await first.refresh(0)
  await first.failed(10, 0)
  const cold = new EndpointBreaker('e', memory)
  await cold.refresh(1)
  expect(cold.admits(1)).toBe(false)
  // The first one's probe is answered; the other looks before it probes itself.
  await first.refresh(5000)
  expect(first.admits(5000)).toBe(true)
  await first.answered(5000)
  await cold.refresh(5001)
  expect(cold.isOpen).toBe(false)
  const other = new EndpointBreaker('another', memory)
  await other.refresh(1)
  expect(other.isOpen).toBe(false)
})

test('it is written when it changes, and only then; what is old is deleted', async () => {
  const store = new MemoryStore()
  const breaker = new EndpointBreaker('e', breakerMemory(store))
  for (let i = 0; i < 100; i++) await breaker.answered(i)
  await breaker.failed(9, 100)
  expect(await keysOf(store, '')).toEqual([])
  await breaker.failed(1, 100)
  for (let i = 0; i < 10; i++) await breaker.failed(2, 101)
  expect(await keysOf(store, '')).toHaveLength(1)
  for (let turn = 1; turn < 6; turn++) {
    breaker.admits(turn * 1e6)
    await breaker.answered(turn * 1e6)
    await breaker.failed(10, turn * 1e6)
  }
  expect(await keysOf(store, '')).toHaveLength(3)
})

test('two that find out at once write one change, and both go on', async () => {
  const store = new MemoryStore()
  const memory = breakerMemory(store)
  const both = [new EndpointBreaker('e', memory), new EndpointBreaker('e', memory)]
  await Promise.all(both.map((breaker) => breaker.failed(10, 0)))
  expect(await keysOf(store, '')).toHaveLength(1)
  expect(both.map(({ isOpen }) => isOpen)).toEqual([true, true])
})

test('a memory that fails, or holds something else, is no reason not to score', async () => {
  const broken: BreakerMemory = {
    read: () => Promise.reject(new Error('x')),
    write: () => Promise.reject(new Error('x')),
  }
  const breaker = new EndpointBreaker('e', broken)
  await breaker.refresh(0)
  await breaker.failed(10, 0)
  expect(breaker.isOpen).toBe(true)
  const store = new MemoryStore()
  await new EndpointBreaker('e', breakerMemory(store)).failed(10, 0)
  const [key] = await keysOf(store, '')
  for (const text of ['{', '{"isOpen":1}']) {
    await store.put(key as string, Buffer.from(text))
    expect(await breakerMemory(store).read('e')).toBeUndefined()
  }
})
