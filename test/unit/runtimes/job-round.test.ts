import { startRun } from '#shared/cli/jobs.ts'
import type { JobRunner } from '#shared/jobs/job-runner.ts'
import { COMPACT, dueLake, preparedLake, startedFor } from '#test/helpers/due-lake.ts'
import { JobLake, withJobs } from '#test/helpers/job-lake.ts'
import { MemoryRunner } from '#test/helpers/memory-runner.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { SchedulerCrash } from '#test/helpers/scheduler-crash.ts'

const MINUTE = 60_000

test('a run that fails is started again, later, and is given up in the end', async () => {
  const lake = await dueLake()
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
  const lake = await dueLake({ ...COMPACT, concurrency: 2 })
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

test('what is remembered may be lost: what ran is not run again', async () => {
  const lake = await dueLake()
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
  const lake = await dueLake({ ...COMPACT, retries: 0 })
  const runner = new MemoryRunner(true)
  await lake.round(runner)
  runner.end('failed', 'out of memory')
  expect(await lake.round(runner)).toMatchObject([{ isNew: false, status: { status: 'over' } }])
  await lake.store.delete('jobs/sensors/g0/memory.json')
  expect(await lake.round(runner)).toEqual([])
})

test('a job of a schedule that is started by hand besides is told of no more than before', async () => {
  const lake = await preparedLake({ glue: 'compact', when: { every: '1 day' } })
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
    const lake = await dueLake(COMPACT, store)
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
  const lake = await dueLake()
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
  const before = await dueLake()
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
  const before = await dueLake()
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
  const lake = await dueLake()
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
    const lake = await dueLake(COMPACT, store)
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
