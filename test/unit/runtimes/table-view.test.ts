import { rollBack } from '#shared/cli/table-rollback.ts'
import { tableHistory } from '#shared/cli/table-history.ts'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import { type TopicView, UNKNOWN_TOPIC, type TableView, viewTable } from '#shared/runtimes/table-view.ts'
import { JobLake, withJobs } from '#test/helpers/job-lake.ts'
import { MemoryRunner } from '#test/helpers/memory-runner.ts'

const time = (text: string): number => Date.parse(text)
const [FIFTH, SIXTH] = ['2026-01-05', '2026-01-06'] as const

async function emptyLake(): Promise<JobLake> {
  const lake = new JobLake(withJobs({}))
  await lake.apply()
  return lake
}

async function view(lake: JobLake, before?: TableView, topic: TopicView = UNKNOWN_TOPIC): Promise<TableView> {
  const surroundings = lake.surroundings(new MemoryRunner(true))
  const found = await viewTable(surroundings, lake.pipeline, before?.progress, [], topic)
  if (found === undefined) throw new Error('there is no table')
  return found
}

const watermarks = ({ state }: TableView) => state.partitions.map(({ watermark }) => watermark)
const rows = ({ progress }: TableView) =>
  Object.fromEntries(Object.entries(progress.windows).map(([name, window]) => [name, window.rows]))

test('what is in no snapshot shows nothing, and is known to be missing', async () => {
  const lake = await emptyLake()
  await lake.land(0, { at: `${FIFTH}T10:00:00Z` })
  await lake.commit()
  const first = await view(lake)
  await lake.land(0, { at: `${SIXTH}T10:00:00Z` })
  const second = await view(lake, first)
  expect(watermarks(second)).toEqual([time(`${FIFTH}T10:00:00Z`)])
  expect(rows(second)).toEqual({ [FIFTH]: 1 })
  expect(second.state.pending).toEqual([
    { partition: 'sensors-0', times: { start: time(SIXTH), end: time(SIXTH) + 86_400_000 } },
  ])
  // That something came, and when, is known all the same.
  expect(second.state.partitions[0]?.lastAt).toBeGreaterThanOrEqual(first.state.partitions[0]?.lastAt as number)
  await lake.commit()
  const third = await view(lake, second)
  expect(watermarks(third)).toEqual([time(`${SIXTH}T10:00:00Z`)])
  expect(rows(third)).toEqual({ [FIFTH]: 1, [SIXTH]: 1 })
  expect(third.state.pending).toEqual([])
  expect(third.snapshotId).not.toBe(first.snapshotId)
  // From the beginning it is the same.
  expect((await view(lake)).progress).toEqual(third.progress)
})

test('a partition that has landed and is in no snapshot at all is at work', async () => {
  const lake = await emptyLake()
  await lake.land(3, { at: `${FIFTH}T10:00:00Z` })
  const { state, snapshotId } = await view(lake)
  expect(state.partitions).toEqual([
    { name: 'sensors-3', watermark: null, lastAt: expect.any(Number), hasEnded: false, behind: null },
  ])
  expect([state.pending.length, snapshotId]).toEqual([1, null])
})

test('what fills a gap is missing until the table has it, and is counted then', async () => {
  const lake = await emptyLake()
  await lake.landAt(0, 0, { at: `${SIXTH}T09:00:00Z` })
  await lake.landAt(0, 10, { at: `${SIXTH}T10:00:00Z` }, { at: `${SIXTH}T10:01:00Z` })
  await lake.commit()
  const first = await view(lake)
  await lake.landAt(0, 5, { at: `${FIFTH}T12:00:00Z`, timestamp: `${SIXTH}T09:30:00Z` })
  const second = await view(lake, first)
  expect(second.state.pending.map(({ times }) => times?.start)).toEqual([time(FIFTH)])
  expect(rows(second)).toEqual({ [SIXTH]: 3 })
  await lake.commit()
  const third = await view(lake, second)
  expect(third.state.pending).toEqual([])
  expect(rows(third)).toEqual({ [SIXTH]: 3, [FIFTH]: 1 })
  expect(rows(await view(lake, third))).toEqual(rows(third))
  expect((await view(lake)).progress).toEqual(third.progress)
})

test('a table that was rolled back is read anew', async () => {
  const lake = await emptyLake()
  await lake.land(0, { at: `${FIFTH}T10:00:00Z` })
  await lake.commit()
  const first = await view(lake)
  await lake.land(0, { at: `${SIXTH}T10:00:00Z` })
  await lake.commit()
  const second = await view(lake, first)
  const owner = { pipeline: 'sensors', generation: 0, table: 'sensors' }
  const surroundings = lake.surroundings(new MemoryRunner(true))
  const oldest = (await tableHistory(surroundings, owner)).snapshots.at(-1)
  await rollBack(surroundings, owner, oldest?.id ?? '')
  const third = await view(lake, second)
  expect(rows(third)).toEqual({ [FIFTH]: 1 })
  expect(third.state.pending).toHaveLength(1)
})

test('an event of the future does not move a watermark; the earliest of its file does', async () => {
  const lake = await emptyLake()
  const timestamp = `${FIFTH}T10:00:00Z`
  await lake.land(0, { at: `${FIFTH}T09:00:00Z`, timestamp }, { at: '2036-01-05T09:00:00Z', timestamp })
  // Ten minutes ahead is what clocks may be.
  await lake.land(1, { at: `${FIFTH}T10:10:00Z`, timestamp })
  await lake.land(2, { at: `${FIFTH}T08:30:00Z`, timestamp }, { at: `${FIFTH}T10:11:00Z`, timestamp })
  await lake.land(3, { at: `${FIFTH}T10:11:00Z`, timestamp })
  await lake.commit()
  expect(watermarks(await view(lake))).toEqual([
    time(`${FIFTH}T09:00:00Z`),
    time(`${FIFTH}T10:10:00Z`),
    time(`${FIFTH}T08:30:00Z`),
    null,
  ])
})

test('a log whose epoch is over, or whose file was read to its end, has ended', async () => {
  const lake = await emptyLake()
  await lake.land(0, { at: `${FIFTH}T09:00:00Z` })
  await lake.land(1, { at: `${FIFTH}T09:00:00Z` })
  for await (const { id } of logsOf(lake.store)) if (id.partition === 0) await new CommitLog(lake.store, id).seal()
  const ended = (of: TableView) => of.state.partitions.map(({ hasEnded }) => hasEnded)
  // A seal that the table has not taken, and one that it has.
  expect(ended(await view(lake))).toEqual([true, false])
  await lake.commit()
  const taken = await view(lake)
  expect(ended(taken)).toEqual([true, false])
  expect(ended(await view(lake, taken))).toEqual([true, false])
  expect(ended(await view(lake, taken, { offsets: null, hasEnded: () => true }))).toEqual([true, true])
})

test('what the topic has and the log has not', async () => {
  const lake = await emptyLake()
  await lake.land(0, { at: `${FIFTH}T09:00:00Z` }, { at: `${FIFTH}T09:01:00Z` })
  await lake.commit()
  await lake.land(0, { at: `${FIFTH}T09:02:00Z` })
  const offsets = new Map([
    [0, { begin: 0, end: 5 }],
    // Never landed: one has records, one had some that were deleted.
    [1, { begin: 0, end: 7 }],
    [2, { begin: 9, end: 9 }],
  ])
  const { state } = await view(lake, undefined, { offsets, hasEnded: () => false })
  expect(state.partitions.map(({ name, behind }) => [name, behind])).toEqual([
    ['sensors-0', 2],
    ['sensors-1', 7],
    ['sensors-2', 0],
  ])
})
