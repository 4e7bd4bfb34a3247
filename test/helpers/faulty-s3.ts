import { FaultProxy } from './fault-proxy.ts'
import { Ministack, START_TIMEOUT_MS } from './ministack.ts'

/** An S3 server for a file of tests, and for each test a proxy in front of it and a folder of its own. */
export interface FaultyS3 {
  /** What answers without faults. */
  readonly s3: Ministack
  /** What does to requests what the test plans. */
  proxy: FaultProxy
  /** `s3://lake/lakes/7`: where no other test has written. */
  readonly url: string
}

/** Starts them before the tests of the file that calls this, and stops them afterwards, also when a test fails. */
export function faultyS3(): FaultyS3 {
  let s3: Ministack | undefined
  let proxy: FaultProxy | undefined
  let tests = 0
  beforeAll(async () => {
    s3 = await Ministack.start()
    await s3.createBucket('lake')
  }, START_TIMEOUT_MS)
  afterAll(() => s3?.stop())
  beforeEach(async () => {
    tests += 1
    proxy = await FaultProxy.start(started(s3).endpoint)
  })
  afterEach(() => proxy?.close())
  return {
    get s3() {
      return started(s3)
    },
    get proxy() {
      return started(proxy)
    },
    set proxy(other) {
      proxy = other
    },
    get url() {
      return `s3://lake/lakes/${tests}`
    },
  }
}

function started<T>(server: T | undefined): T {
  if (server === undefined) throw new Error('not started yet: it is there within tests only')
  return server
}
