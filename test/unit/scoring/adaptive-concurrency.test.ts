import { AdaptiveConcurrency, MOST_REQUESTS } from '#shared/scoring/adaptive-concurrency.ts'

const never = new AbortController().signal

function grown(answers: number, ms = 10): AdaptiveConcurrency {
  const concurrency = new AdaptiveConcurrency()
  for (let i = 0; i < answers; i++) concurrency.answered(ms)
  return concurrency
}

test('it grows by one with each round of answers, up to the sockets', () => {
  expect(new AdaptiveConcurrency().limit).toBe(4)
  expect(grown(5).limit).toBe(5)
  expect(grown(11).limit).toBe(6)
  expect(grown(10_000).limit).toBe(MOST_REQUESTS)
})

test('it stays while answers take longer than usual, until that is the usual', () => {
  const concurrency = grown(5)
  for (let i = 0; i < 5; i++) concurrency.answered(20)
  expect(concurrency.limit).toBe(5)
  for (let i = 0; i < 40; i++) concurrency.answered(20)
  expect(concurrency.limit).toBeGreaterThan(5)
})

test('a throttle halves it, once for all requests that were under way', () => {
  const concurrency = grown(10_000)
  concurrency.throttled(100, 110)
  for (let i = 0; i < 20; i++) concurrency.throttled(105, 120)
  expect(concurrency.limit).toBe(32)
  concurrency.throttled(111, 130)
  expect(concurrency.limit).toBe(16)
  for (let i = 0; i < 9; i++) concurrency.throttled(131 + 2 * i, 132 + 2 * i)
  expect(concurrency.limit).toBe(1)
})

test('no more than the limit run, in their order, and who is given up leaves the queue', async () => {
  const concurrency = new AdaptiveConcurrency()
  const given = new AbortController()
  const begun: number[] = []
  const waiting = [0, 1, 2, 3, 4, 5, 6].map(async (i) => {
    if (await concurrency.enter(i === 5 ? given.signal : never)) begun.push(i)
  })
  await Promise.resolve()
  expect(begun).toEqual([0, 1, 2, 3])
  given.abort()
  concurrency.leave()
  concurrency.leave()
  await Promise.all(waiting)
  expect(begun).toEqual([0, 1, 2, 3, 4, 6])
  expect(await concurrency.enter(AbortSignal.abort())).toBe(false)
})

test('a limit that was halved lets nobody in until enough have left', async () => {
  const concurrency = new AdaptiveConcurrency()
  for (let i = 0; i < 4; i++) await concurrency.enter(never)
  concurrency.throttled(1, 2)
  let isIn = false
  const waiting = concurrency.enter(never).then(() => (isIn = true))
  concurrency.leave()
  concurrency.leave()
  await new Promise(setImmediate)
  expect(isIn).toBe(false)
  concurrency.leave()
  await waiting
  expect(isIn).toBe(true)
})
