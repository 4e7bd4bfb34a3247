import { inspect } from 'node:util'
import { PutBucketPolicyCommand, type S3ClientConfig } from '@aws-sdk/client-s3'
import { S3Store } from '#shared/lake/s3-store.ts'
import { type Fault, FaultProxy, faultsInTurn } from '#test/helpers/fault-proxy.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'

const faulty = faultyS3()

const BODY = Buffer.from('a body of some length')
const open = (config: S3ClientConfig = {}, url = faulty.url, deadlineMs = 30_000): S3Store =>
  new S3Store(url, { client: faulty.s3.client({ endpoint: faulty.proxy.endpoint, ...config }), deadlineMs })

/** The client waits for up to 1, 2 and 4 seconds before it asks again a server that said "slow down". */
const SLOW_DOWN_TIMEOUT_MS = 30_000

/** Every call of the store, by its name. */
const CALLS: Record<string, (store: S3Store, key: string) => Promise<unknown>> = {
  put: (store, key) => store.put(key, BODY),
  putIfAbsent: (store, key) => store.putIfAbsent(key, BODY),
  get: (store, key) => store.get(key),
  size: (store, key) => store.size(key),
  list: (store, key) => store.list(key)[Symbol.asyncIterator]().next(),
  delete: (store, key) => store.delete(key),
}
const called = (name: string, store: S3Store, key = 'a'): Promise<unknown> =>
  CALLS[name]?.(store, key) ?? Promise.reject(new Error(`no call ${name}`))
/** Ministack takes an account's number as the access key of its root. */
const OTHER_ACCOUNT = '123456789012'

async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    return { succeeded: await work }
  } catch (error) {
    return error
  }
}

describe('a fault that passes', () => {
  const passing: Fault[] = ['slowDown', 'internalError', 'closeBefore', 'late']

  test.each(passing)(
    '%s: every call is made again, and works',
    async (fault) => {
      const store = open()
      await open().put('a', BODY)
      faulty.proxy.plan = ({ headers }) =>
        String(headers['amz-sdk-request']).startsWith('attempt=1;') ? fault : undefined
      const [, created, body, size, first] = await Promise.all([
        store.put('b', BODY),
        store.putIfAbsent('c', BODY),
        store.get('a'),
        store.size('a'),
        store.list('', { limit: 1 })[Symbol.asyncIterator]().next(),
        store.delete('d'),
      ])
      expect([created, Buffer.from(body ?? []).toString(), size]).toEqual(['created', BODY.toString(), BODY.length])
      expect(first).toMatchObject({ value: { key: 'a', bytes: BODY.length } })
      expect(await open().size('b')).toBe(BODY.length)
      expect(faulty.proxy.faults.get(fault)).toBe(7)
    },
    SLOW_DOWN_TIMEOUT_MS,
  )

  test.each(['breakOff', 'corrupt'] as const)('%s: an answer is read again until it is whole', async (fault) => {
    const store = open()
    await store.put('a', BODY)
    faulty.proxy.plan = faultsInTurn(fault, fault, undefined)
    expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe(BODY.toString())
    expect(faulty.proxy.faults.get(fault)).toBe(2)
  })

  test('a conflict of conditional writes: who asks again is told how it ended', async () => {
    const store = open()
    faulty.proxy.plan = faultsInTurn('conflict', 'conflict', undefined)
    expect(await store.putIfAbsent('a', BODY)).toBe('created')
    faulty.proxy.plan = faultsInTurn('conflict', undefined)
    expect(await store.putIfAbsent('a', Buffer.from('another'))).toBe('taken')
    expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe(BODY.toString())
    expect(faulty.proxy.faults.get('conflict')).toBe(3)
  })

  test.each(['closeAfter', 'internalErrorAfter'] as const)(
    '%s: a put if absent that worked without an answer finds the key taken, by its own body',
    async (fault) => {
      const store = open()
      faulty.proxy.plan = faultsInTurn(fault)
      expect(await store.putIfAbsent('a', BODY)).toBe('taken')
      expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe(BODY.toString())
    },
  )
})

describe('a fault that stays', () => {
  test.each([
    ['slowDown', 4, 'SlowDown (503)'],
    ['internalError', 4, 'InternalError (500)'],
    ['closeBefore', 4, ''],
    ['conflict', 5, 'ConditionalRequestConflict (409)'],
  ] as const)(
    '%s: can be tried again later, after %i requests',
    async (fault, requests, reason) => {
      const store = open()
      faulty.proxy.plan = () => fault
      const error = await failure(store.putIfAbsent('a/b', BODY))
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true, stage: 'store' })
      expect((error as Error).message).toContain(`cannot write ${faulty.url}/a/b: ${reason}`)
      expect(faulty.proxy.requests).toBe(requests)
      faulty.proxy.plan = () => undefined
      expect(await store.putIfAbsent('a/b', BODY)).toBe('created')
    },
    SLOW_DOWN_TIMEOUT_MS,
  )

  test.each(['breakOff', 'corrupt'] as const)('%s: what is never whole is never returned', async (fault) => {
    const store = open()
    await store.put('a', BODY)
    faulty.proxy.plan = () => fault
    expect(await failure(store.get('a'))).toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true })
    expect(faulty.proxy.faults.get(fault)).toBe(5)
  })

  test.each(Object.keys(CALLS))('a store that froze: %s ends by its deadline', async (name) => {
    const store = open({}, faulty.url, 150)
    faulty.proxy.plan = () => 'freeze'
    const error = await failure(called(name, store))
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true })
    expect((error as Error).message).toContain('it took more than 150 ms')
  })

  test('an answer that stops in its midst ends by the deadline, too', async () => {
    const store = open({}, faulty.url, 150)
    await open().put('a', BODY)
    faulty.proxy.plan = () => 'freezeMidway'
    expect(await failure(store.get('a'))).toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true })
  })

  test('a frozen request is given up, and made again', async () => {
    const store = open({ requestHandler: { requestTimeout: 500, throwOnRequestTimeout: true } })
    faulty.proxy.plan = faultsInTurn('freeze', undefined)
    await store.put('a', BODY)
    expect(faulty.proxy.requests).toBeGreaterThanOrEqual(2)
    expect(faulty.proxy.faults.get('freeze')).toBe(1)
  })

  test('so does the client that production uses, well before the deadline', async () => {
    const client = faulty.s3.client({ endpoint: faulty.proxy.endpoint })
    await new S3Store('s3://lake', { client }).get('a')
    const { requestHandler } = client.config as unknown as {
      readonly requestHandler: { httpHandlerConfigs(): Readonly<Record<string, unknown>> }
    }
    const handler = requestHandler.httpHandlerConfigs()
    expect(handler).toMatchObject({ throwOnRequestTimeout: true, httpAgent: { keepAlive: true, maxSockets: 64 } })
    for (const timeout of ['connectionTimeout', 'requestTimeout', 'socketTimeout']) {
      expect(handler[timeout]).toBeGreaterThan(0)
      expect(handler[timeout]).toBeLessThanOrEqual(10_000)
    }
  })

  test('nobody listens: the endpoint is wrong, or the server is gone', async () => {
    const { endpoint } = faulty.proxy
    await faulty.proxy.close()
    try {
      const store = new S3Store('s3://lake', { client: faulty.s3.client({ endpoint }) })
      for (const name of Object.keys(CALLS))
        expect(await failure(called(name, store))).toMatchObject({ code: 'STORE_UNAVAILABLE', canRetry: true })
    } finally {
      faulty.proxy = await FaultProxy.start(faulty.s3.endpoint)
    }
  })
})

describe('what is refused', () => {
  test.each(Object.keys(CALLS))('a bucket that does not exist: %s', async (name) => {
    const store = open({}, 's3://no-such-lake/a')
    const error = await failure(called(name, store, 'b'))
    expect(error).toMatchObject({ code: 'STORE_DENIED', canRetry: false, stage: 'store' })
    expect((error as Error).message).toMatch(/s3:\/\/no-such-lake\/a\/b: .*\(404\)/)
    // Asking again does not help, and is not done; HEAD has to ask for its bucket.
    expect(faulty.proxy.requests).toBe(name === 'size' ? 2 : 1)
  })

  test.each(Object.keys(CALLS))('an access key that nobody knows, and its secret is not told: %s', async (name) => {
    const credentials = { accessKeyId: 'AKIASTRANGER', secretAccessKey: 'THE-SECRET', sessionToken: 'THE-TOKEN' }
    const error = await failure(called(name, open({ credentials })))
    expect(error).toMatchObject({ code: 'STORE_DENIED', canRetry: false })
    const everything = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
    for (const secret of ['AKIASTRANGER', 'THE-SECRET', 'THE-TOKEN']) expect(everything).not.toContain(secret)
    expect(faulty.proxy.requests).toBe(1)
  })

  test('what a policy does not allow', async () => {
    await faulty.s3.createBucket('shared')
    const Statement = [
      { Effect: 'Allow', Principal: { AWS: OTHER_ACCOUNT }, Action: 's3:*', Resource: 'arn:aws:s3:::shared/tables/*' },
    ]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await faulty.s3.client().send(new PutBucketPolicyCommand({ Bucket: 'shared', Policy }))
    const store = open({ credentials: { accessKeyId: OTHER_ACCOUNT, secretAccessKey: 'any' } }, 's3://shared')
    await store.put('tables/a', BODY)
    for (const name of ['put', 'putIfAbsent', 'get', 'size', 'delete', 'list']) {
      const error = await failure(called(name, store, 'log/a'))
      expect(error).toMatchObject({ code: 'STORE_DENIED', canRetry: false })
      expect((error as Error).message).toMatch(/^cannot \w+ s3:\/\/shared\/log\/a: .*\(403\)/)
      const isRead = name === 'get' || name === 'size'
      expect((error as Error).message.includes('s3:ListBucket')).toBe(isRead)
    }
  })

  test('a client that knows no credentials', async () => {
    const credentials = () => Promise.reject(Object.assign(new Error('none'), { name: 'CredentialsProviderError' }))
    expect(await failure(open({ credentials }).get('a'))).toMatchObject({ code: 'STORE_DENIED', canRetry: false })
    expect(faulty.proxy.requests).toBe(0)
  })

  test.each(['s3://', 's3:lake', 's3:///a', 's3://UPPER', 's3://lake/a/../b', 's3://lake/a//b', 's3://-lake/a'])(
    'the URL %s',
    (url) => {
      expect(() => new S3Store(url)).toThrow(expect.objectContaining({ code: 'STORE_DENIED' }))
    },
  )

  test('a URL may end in slashes', () => {
    for (const root of ['s3://lake', 's3://lake/']) expect(new S3Store(root).url).toBe('s3://lake/')
    expect(new S3Store('s3://lake.of/flights/v 1//').url).toBe('s3://lake.of/flights/v 1')
  })
})

test('many calls at once use a bounded number of sockets, and later calls use them again', async () => {
  const unbounded = { httpAgent: { maxSockets: Number.POSITIVE_INFINITY, keepAlive: true } }
  const store = open({ requestHandler: unbounded })
  faulty.proxy.plan = () => 'late'
  await Promise.all(Array.from({ length: 200 }, (_, i) => store.put(`a/${i}`, BODY)))
  expect(faulty.proxy.requests).toBe(200)
  expect(faulty.proxy.mostConnections).toBeLessThanOrEqual(64)
  expect(faulty.proxy.connections).toBeLessThanOrEqual(64)
})
