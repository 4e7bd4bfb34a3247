import { catalogCall } from '#shared/lake/catalog-call.ts'

const named = (name: string): Error =>
  Object.assign(new Error('Because.'), { name, $metadata: { httpStatusCode: 400 } })

test('an answer, a refusal that is one, and any other error', async () => {
  const refusals = ['EntityNotFoundException']
  expect(await catalogCall('cannot', () => Promise.resolve(7), { refusals })).toBe(7)
  const refused = catalogCall('cannot', () => Promise.reject(named('EntityNotFoundException')), { refusals })
  expect(await refused).toBeUndefined()
  const advice = { InvalidInputException: 'Give it a name' }
  const failed = catalogCall('cannot', () => Promise.reject(named('InvalidInputException')), { refusals, advice })
  await expect(failed).rejects.toMatchObject({
    code: 'STORE_DENIED',
    message: 'cannot: InvalidInputException (400): Because. Give it a name',
  })
})

test('what does not answer is given up at the deadline, whatever its client makes of that', async () => {
  let signal: AbortSignal | undefined
  const never = catalogCall(
    'cannot',
    ({ abortSignal }) => {
      signal = abortSignal
      return new Promise((_, reject) => {
        abortSignal.addEventListener('abort', () => reject(named('EntityNotFoundException')))
      })
    },
    { refusals: ['EntityNotFoundException'], deadlineMs: 20 },
  )
  await expect(never).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: 'cannot: it took more than 20 ms',
  })
  expect(signal?.aborted).toBe(true)
})

test('the deadline is over with the call', async () => {
  let signal: AbortSignal | undefined
  await catalogCall(
    'cannot',
    ({ abortSignal }) => {
      signal = abortSignal
      return Promise.resolve()
    },
    { deadlineMs: 5 },
  )
  await new Promise((resolve) => {
    setTimeout(resolve, 30)
  })
  expect(signal?.aborted).toBe(false)
})
