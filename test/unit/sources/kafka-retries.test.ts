import { KafkaError } from '#shared/sources/kafka-faults.ts'
import { retried, retryPause } from '#shared/sources/kafka-retries.ts'

const busy = () => new KafkaError('BROKER_BUSY', 'busy')

test('pauses double up to half a minute, and keep at least half of that', () => {
  expect([1, 2, 3, 7, 8, 20, 2000].map((failures) => retryPause(failures, 1))).toEqual([
    250, 500, 1000, 16_000, 30_000, 30_000, 30_000,
  ])
  expect([1, 2, 20].map((failures) => retryPause(failures, 0))).toEqual([125, 250, 15_000])
})

test('what can heal is tried until it has', async () => {
  let calls = 0
  const told: string[] = []
  const operation = () => (++calls < 3 ? Promise.reject(busy()) : Promise.resolve('done'))
  const options = { now: () => 0, withinMs: 30_000, onPause: ({ message }: Error) => told.push(message) }
  await expect(retried(operation, 'cannot', options)).resolves.toBe('done')
  expect(calls).toBe(3)
  expect(told).toEqual(['busy', 'busy'])
})

test('what cannot heal is tried once', async () => {
  let calls = 0
  const operation = () => Promise.reject(new KafkaError('LOGIN_REFUSED', `attempt ${++calls}`))
  await expect(retried(operation, 'cannot', { now: () => 0, withinMs: 30_000 })).rejects.toThrow('attempt 1')
})

test('no attempt begins when the time is over', async () => {
  let calls = 0
  let time = 0
  const operation = () => {
    calls += 1
    time += 400
    return Promise.reject(busy())
  }
  await expect(retried(operation, 'cannot', { now: () => time, withinMs: 1000 })).rejects.toThrow('busy')
  expect(calls).toBe(2)
})

test('who is told to stop wakes up and gives up', async () => {
  const stop = new AbortController()
  const onPause = () => setTimeout(() => stop.abort(), 1)
  const options = { now: () => 0, withinMs: Number.POSITIVE_INFINITY, onPause, signal: stop.signal }
  let calls = 0
  const operation = () => Promise.reject(new KafkaError('BROKER_UNREACHABLE', `attempt ${++calls}`))
  await expect(retried(operation, 'cannot', options)).rejects.toThrow('attempt 2')
})
