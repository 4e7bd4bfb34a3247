import { startRun } from '#shared/cli/jobs.ts'
import type { JobRunner } from '#shared/jobs/job-runner.ts'
import type { JobOptions } from '#shared/pipeline/job.ts'
import { runRound } from '#shared/runtimes/job-round.ts'
import { JobLake, withJobs } from '#test/helpers/job-lake.ts'
import { MemoryRunner } from '#test/helpers/memory-runner.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { SchedulerCrash } from '#test/helpers/scheduler-crash.ts'

const MINUTE = 60_000
const COMPACT: JobOptions = { glue: 'compact', when: { partitionComplete: '10 minutes' }, retries: 1 }

/** A lake in which the fifth of January is complete, and the sixth is not. */
async function prepared(job: JobOptions = COMPACT, store = new MemoryStore()): Promise<JobLake> {
  const lake = new JobLake(withJobs({ compact: job }), store)
  await lake.apply()
  await lake.land(0, { at: '2026-01-05T10:00:00Z' }, { at: '2026-01-06T00:10:00Z' })
  await lake.land(1, { at: '2026-01-05T11:00:00Z' })
  return lake
}

const startedFor = (runner: MemoryRunner) => runner.runs.map(({ order }) => order.arguments.partition)

test('a window runs once, when every partition is past it and all that landed is in a snapshot', async () => {
  const lake = await prepared()
  const runner = new MemoryRunner(false)
  await lake.round(runner)
  await lake.commit()
  await lake.round(runner)
  // Partition 1 is not past the day yet.
  expect(runner.runs).toEqual([])
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.round(runner)
  expect(runner.runs).toEqual([])
  await lake.commit()
  expect(await lake.round(runner)).toMatchObject([{ scope: '2026-01-05', isNew: true, status: { status: 'running' } }])
  await lake.round(runner)
  runner.end()
  expect(await lake.round(runner)).toMatchObject([{ isNew: false, status: { status: 'over', measure: 2 } }])
  expect(await lake.round(runner)).toEqual([])
  expect(runner.runs).toHaveLength(1)
  const { arguments: told } = runner.runs[0]?.order ?? {}
  expect(told).toMatchObject({
    pipeline: 'sensors',
    lake: 'memory:',
    catalog: 'directory',
    table: 'sensors',
    partition: '2026-01-05',
    'window-column': 'at',
    'window-start': '2026-01-05T00:00:00.000Z',
    'window-end': '2026-01-06T00:00:00.000Z',
  })
  expect(told?.snapshot).toMatch(/^\d+$/)
})

test('a partition that nothing comes from holds nothing back after the idle time', async () => {
  const lake = await prepared()
  await lake.commit()
  const runner = new MemoryRunner(false)
  lake.later = 14 * MINUTE
  await lake.round(runner)
  expect(runner.runs).toEqual([])
  lake.later = 16 * MINUTE
  await lake.round(runner)
  // The sixth has no younger event either, and is long over by the clock.
  expect(startedFor(runner)).toEqual(['2026-01-05'])
})

test('a batch in the failure destination holds the windows back that its records may be of', async () => {
  const lake = await prepared({ ...COMPACT, concurrency: 5 })
  await lake.land(2, { at: '2025-12-31T10:00:00Z' })
  await lake.commit()
  lake.later = 16 * MINUTE
  const runner = new MemoryRunner(false)
  lake.waiting = [{ key: 'aws/lambda/x', kafkaTime: Date.parse('2026-01-04T23:00:00Z') }]
  await lake.round(runner)
  expect(startedFor(runner)).toEqual(['2026-01-05', '2026-01-06'])
  lake.waiting = []
  await lake.round(runner)
  expect(startedFor(runner)).toEqual(['2026-01-05', '2026-01-06', '2025-12-31'])
})

test('late rows make a window due again, as the policy says, and only when the run before is over', async () => {
  const lake = await prepared({ ...COMPACT, late: 'rerun after 2 rows' })
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.commit()
  const runner = new MemoryRunner(false)
  await lake.round(runner)
  await lake.land(1, { at: '2026-01-05T09:00:00Z' })
  await lake.commit()
  runner.end()
  await lake.round(runner)
  expect(runner.runs).toHaveLength(1)
  await lake.land(0, { at: '2026-01-05T09:30:00Z' })
  // Landed, and in no snapshot.
  await lake.round(runner)
  expect(runner.runs).toHaveLength(1)
  await lake.commit()
  await lake.round(runner)
  expect(startedFor(runner)).toEqual(['2026-01-05', '2026-01-05'])
  const [first, second] = runner.runs.map(({ order }) => order.identity)
  expect(first).toMatch(/\/compact\/2026-01-05\/r0\/a0$/)
  expect(second).toMatch(/\/compact\/2026-01-05\/r1\/a0$/)
})

test('a run that fails is started again, later, and is given up in the end', async () => {
  const lake = await prepared()
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.commit()
  const runner = new MemoryRunner(false)
  await lake.round(runner)
  runner.end('failed', 'out of memory')
  expect(await lake.round(runner)).toMatchObject([{ status: { status: 'waiting' } }])
  lake.later = MINUTE + 1000
  expect(await lake.round(runner)).toMatchObject([{ status: { status: 'running', attempt: 1 } }])
  runner.end('failed', 'out of memory')
  const outcome = { state: 'gave up', attempts: 2, message: 'out of memory' }
  expect(await lake.round(runner)).toMatchObject([{ status: { status: 'over', outcome } }])
  await lake.round(runner)
  expect(runner.runs).toHaveLength(2)
})

test('a start that is refused for want of room is asked for again, and is one run', async () => {
  const lake = await prepared({ ...COMPACT, concurrency: 2 })
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.commit()
  const runner = new MemoryRunner(false)
  runner.limit = 0
  expect(await lake.round(runner)).toMatchObject([{ status: { because: 'ConcurrentRunsExceededException' } }])
  runner.limit = 1
  await lake.round(runner)
  expect(runner.runs).toEqual([])
  lake.later = MINUTE + 1000
  await lake.round(runner)
  await lake.round(runner)
  expect(runner.runs).toHaveLength(1)
})

test.each([
  [{ smallFiles: 3 }, ['2026-01-05']],
  [{ rows: 3 }, ['']],
  [{ every: '1 day' }, ['']],
] as const)('%j', async (when, partitions) => {
  const lake = await prepared({ glue: 'compact', when, concurrency: 9 })
  await lake.commit()
  const runner = new MemoryRunner(true)
  await lake.round(runner)
  await lake.round(runner)
  const before = runner.runs.length
  await lake.land(0, { at: '2026-01-05T12:00:00Z' })
  await lake.commit()
  await lake.round(runner)
  await lake.round(runner)
  runner.end()
  await lake.round(runner)
  await lake.round(runner)
  expect(startedFor(runner)).toEqual([...partitions])
  expect(before).toBe('smallFiles' in when ? 0 : 1)
})

test('a long log is read to its end before anything is decided', async () => {
  const lake = await prepared()
  for (let minute = 10; minute < 20; minute++) await lake.land(1, { at: `2026-01-06T00:${minute}:00Z` })
  await lake.commit()
  const runner = new MemoryRunner(true)
  await lake.round(runner, lake.store, { limit: 3 })
  expect(runner.runs.map(({ order }) => order.arguments.partition)).toEqual(['2026-01-05'])
  // What the table has not taken is not read on and on.
  for (let minute = 20; minute < 30; minute++) await lake.land(1, { at: `2026-01-07T00:${minute}:00Z` })
  expect(await lake.round(runner, lake.store, { limit: 3 })).toMatchObject([{ scope: '2026-01-05', isNew: false }])
})

test('logs that take longer to read than a round has are read by several', async () => {
  const lake = await prepared()
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.land(2, { at: '2026-01-06T00:20:00Z' })
  await lake.commit()
  const runner = new MemoryRunner(true)
  const reads: number[] = []
  const isCommit = /\/p(?<partition>\d)\/commits\//
  for (let round = 0; runner.runs.length === 0; round++) {
    reads.push(0)
    const time = new AbortController()
    const store = (lake.store as MemoryStore).through(async (call, effect) => {
      if (call.operation === 'get' && isCommit.test(call.key)) {
        reads[round] = (reads[round] as number) + 1
        time.abort()
      }
      return effect()
    })
    await runRound(lake.surroundings(runner, store), lake.pipeline, { signal: time.signal })
    if (round > 5) throw new Error(`no round got to the end of the logs: ${reads.join(', ')}`)
  }
  expect(reads).toEqual([1, 2, 1, 0])
  expect(startedFor(runner)).toEqual(['2026-01-05'])
})

test('what is remembered may be lost: what ran is not run again', async () => {
  const lake = await prepared()
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.commit()
  const runner = new MemoryRunner(true)
  await lake.round(runner)
  runner.end()
  await lake.round(runner)
  await lake.store.delete('jobs/sensors/g0/memory.json')
  await lake.round(runner)
  await lake.round(runner)
  expect(runner.runs).toHaveLength(1)
})

test('what is over is told once, though what is remembered is lost', async () => {
  const lake = await prepared({ ...COMPACT, retries: 0 })
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.commit()
  const runner = new MemoryRunner(true)
  await lake.round(runner)
  runner.end('failed', 'out of memory')
  expect(await lake.round(runner)).toMatchObject([{ isNew: false, status: { status: 'over' } }])
  await lake.store.delete('jobs/sensors/g0/memory.json')
  expect(await lake.round(runner)).toEqual([])
})

test('a job of a schedule that is started by hand besides is told of no more than before', async () => {
  const lake = await prepared({ glue: 'compact', when: { every: '1 day' } })
  await lake.commit()
  const runner = new MemoryRunner(true)
  await lake.round(runner)
  runner.end()
  await lake.round(runner)
  await startRun(lake.surroundings(runner), lake.pipeline, 'compact', undefined)
  runner.end()
  await lake.round(runner)
  const told: unknown[] = []
  const reading = (lake.store as MemoryStore).through(async (call, effect) => {
    if (call.key.includes('/runs/')) told.push(call.key)
    return effect()
  })
  expect([await lake.round(runner, reading), told]).toEqual([[], []])
  expect(runner.runs).toHaveLength(2)
})

test.each([
  ['a service without a token', false, 'before'],
  ['a service without a token', false, 'after'],
  ['a service with one', true, 'before'],
  ['a service with one', true, 'after'],
] as const)('%s: a scheduler that dies at any call leaves one run of the window (%#)', async (_title, once, when) => {
  let points = 0
  for (let call = 1; ; call++) {
    const store = new MemoryStore()
    const lake = await prepared(COMPACT, store)
    await lake.land(1, { at: '2026-01-06T00:15:00Z' })
    await lake.commit()
    const crash = new SchedulerCrash(call, when)
    const runner = new MemoryRunner(once)
    await lake.round(crash.runner(runner), crash.store(store)).catch(() => {})
    if (!crash.hasCrashed) break
    points += 1
    for (let minute = 0; minute < 6; minute++) {
      lake.later = minute * MINUTE
      await lake.round(runner)
    }
    expect([call, startedFor(runner)]).toEqual([call, ['2026-01-05']])
    runner.end()
    await lake.round(runner)
    expect([call, await lake.round(runner), runner.runs.length]).toEqual([call, [], 1])
  }
  expect(points).toBeGreaterThan(10)
})

test('while a start may still be under way nobody starts another one', async () => {
  const lake = await prepared()
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.commit()
  const runner = new MemoryRunner(false)
  const begun = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const slow: JobRunner = {
    startsOnce: false,
    start: async (order, signal) => {
      begun.resolve()
      await answer.promise
      return runner.start(order, signal)
    },
    find: (order) => runner.find(order),
    state: (order, runId) => runner.state(order, runId),
  }
  const first = lake.round(slow)
  await begun.promise
  for (const seconds of [1, 59, 61, 119]) {
    lake.later = seconds * 1000
    expect(await lake.round(runner)).toMatchObject([{ status: { status: 'waiting', isUncertain: true } }])
  }
  answer.resolve()
  await first
  lake.later = 10 * MINUTE
  expect(await lake.round(runner)).toMatchObject([{ status: { status: 'running' } }])
  expect(runner.runs).toHaveLength(1)
})

test('a run is followed where it was started, though its job runs elsewhere by then', async () => {
  const before = await prepared()
  await before.land(1, { at: '2026-01-06T00:15:00Z' })
  await before.commit()
  const runner = new MemoryRunner(false)
  await before.round(runner)
  const lake = new JobLake(
    withJobs({ compact: { ...COMPACT, glue: 'another', arguments: { sort: 'x' } } }),
    before.store,
  )
  const asked: unknown[] = []
  const recording: JobRunner = {
    startsOnce: false,
    start: (order, signal) => runner.start(order, signal),
    find: (order) => runner.find(order),
    state: (order, runId) => {
      asked.push(order.target)
      return runner.state(order, runId)
    },
  }
  expect(await lake.round(recording)).toMatchObject([{ status: { status: 'running' } }])
  expect(asked).toEqual([{ kind: 'glue', job: 'compact' }])
  // What is tried again is tried as it is declared by then.
  runner.end('failed')
  lake.later = 2 * MINUTE
  await lake.round(recording)
  lake.later = 4 * MINUTE
  expect(await lake.round(recording)).toMatchObject([{ status: { status: 'running', attempt: 1 } }])
  expect(runner.runs[1]?.order).toMatchObject({ target: { kind: 'glue', job: 'another' }, arguments: { sort: 'x' } })
})

test('a start of which nothing is known is made again as it was, though its job is another by then', async () => {
  const before = await prepared()
  await before.land(1, { at: '2026-01-06T00:15:00Z' })
  await before.commit()
  const runner = new MemoryRunner(true)
  const losing: JobRunner = {
    startsOnce: true,
    start: async (order, signal) => {
      await runner.start(order, signal)
      throw new Error('the answer is lost')
    },
    find: (order) => runner.find(order),
    state: (order, runId) => runner.state(order, runId),
  }
  await expect(before.round(losing)).rejects.toThrow('the answer is lost')
  const lake = new JobLake(
    withJobs({ compact: { ...COMPACT, glue: 'another', arguments: { sort: 'x' } } }),
    before.store,
  )
  const orders: unknown[] = []
  const recording: JobRunner = {
    ...losing,
    start: (order, signal) => {
      orders.push(order)
      return runner.start(order, signal)
    },
  }
  expect(await lake.round(recording)).toMatchObject([{ status: { status: 'running' } }])
  expect(orders).toEqual([runner.runs[0]?.order])
})

test('a run that its service does not know any more has failed', async () => {
  const lake = await prepared()
  await lake.land(1, { at: '2026-01-06T00:15:00Z' })
  await lake.commit()
  const runner = new MemoryRunner(false)
  await lake.round(runner)
  const gone = { state: 'gone', message: 'there is no such job' } as const
  for (const run of runner.runs) run.state = gone
  // It may come to be seen yet.
  lake.later = 30_000
  expect(await lake.round(runner)).toMatchObject([{ status: { status: 'running', attempt: 0 } }])
  lake.later = 2 * MINUTE
  expect(await lake.round(runner)).toMatchObject([{ status: { status: 'waiting' } }])
  lake.later = 4 * MINUTE
  expect(await lake.round(runner)).toMatchObject([{ status: { status: 'running', attempt: 1 } }])
})

test('two schedulers at once start one run', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const store = new MemoryStore()
    const lake = await prepared(COMPACT, store)
    await lake.land(1, { at: '2026-01-06T00:15:00Z' })
    await lake.commit()
    const runner = new MemoryRunner(false)
    let turn = seed
    const slow = store.through(async (_call, effect) => {
      turn = (turn * 16_807 + 7) % 2_147_483_647
      for (let i = 0; i < turn % 7; i++) await Promise.resolve()
      return effect()
    })
    await Promise.all([lake.round(runner, slow), lake.round(runner, slow), lake.round(runner, slow)])
    await lake.round(runner)
    expect([seed, runner.runs.length]).toEqual([seed, 1])
  }
})
