import { runRound } from '#shared/runtimes/job-round.ts'
import { COMPACT, dueLake, preparedLake, startedFor } from '#test/helpers/due-lake.ts'
import { MemoryRunner } from '#test/helpers/memory-runner.ts'
import type { MemoryStore } from '#test/helpers/memory-store.ts'

const MINUTE = 60_000

test('a window runs once, when every partition is past it and all that landed is in a snapshot', async () => {
  const lake = await preparedLake()
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
  const lake = await preparedLake()
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
  const lake = await preparedLake({ ...COMPACT, concurrency: 5 })
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
  const lake = await dueLake({ ...COMPACT, late: 'rerun after 2 rows' })
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

test.each([
  [{ smallFiles: 3 }, ['2026-01-05']],
  [{ rows: 3 }, ['']],
  [{ every: '1 day' }, ['']],
] as const)('%j', async (when, partitions) => {
  const lake = await preparedLake({ glue: 'compact', when, concurrency: 9 })
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
  const lake = await preparedLake()
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
  const lake = await preparedLake()
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
