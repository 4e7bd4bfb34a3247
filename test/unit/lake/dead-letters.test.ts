import { commitStarts, deadLettersOf, type OffsetBounds } from '#shared/lake/dead-letters.ts'
import { type LogId, logPrefix } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import { CommitLog } from '#shared/lake/commit-log.ts'
import type { OffsetRange } from '#shared/pipeline/commit.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { range, recordsAt, writeOffsets } from '#test/helpers/slices.ts'

const ID: LogId = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights', epoch: 0, partition: 0 }

let store: MemoryStore

/** Commits 0…9, 10…19, 20…29 and 30…39, of which some are rejected. */
beforeEach(async () => {
  store = new MemoryStore(2)
  const log = new CommitLog(store, ID)
  for (const first of [0, 10, 20, 30])
    await log.land(recordsAt(...range(first, first + 9)), writeOffsets([2, 3, 4, 9, 25, 39], 'rows_dead_letters'))
})

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

interface Found {
  readonly open: readonly OffsetRange[]
  readonly resolved: readonly (readonly [OffsetRange[], number])[]
}

/** The start of a commit → its dead letters, entry by entry; resolved ones with the number of the amendment. */
async function found(bounds?: OffsetBounds): Promise<Record<number, Found[]>> {
  const commits: Record<number, Found[]> = {}
  for await (const { commit, entries } of deadLettersOf(store, new LogStore(store, ID), bounds))
    commits[commit] = entries.map(({ open, resolved }) => {
      return { open, resolved: resolved.map(({ offsets, by }) => [[...offsets], by.number] as const) }
    })
  return commits
}

const redrive = (offsets: readonly number[], rejected: readonly number[] = []) =>
  new CommitLog(store, ID).land(recordsAt(...offsets), writeOffsets(rejected, 'rows_dead_letters'), 'redrive')

test.each<[OffsetBounds, number[]]>([
  [{}, [30, 20, 10, 0]],
  [{ from: 10 }, [30, 20, 10]],
  [{ from: 9 }, [30, 20, 10, 0]],
  [{ to: 29 }, [20, 10, 0]],
  [{ to: 30 }, [30, 20, 10, 0]],
  [{ from: 15, to: 15 }, [10]],
  [{ from: 15, to: 25 }, [20, 10]],
  [{ from: 100 }, [30]],
])('the commits that may hold offsets within %j are told by their keys', async (bounds, expected) => {
  expect(await all(commitStarts(store, logPrefix(ID), bounds))).toEqual(expected)
})

test('rejected records that nothing else has been said of are open, commit by commit, the newest first', async () => {
  const commits = await found()
  expect(commits).toEqual({
    30: [{ open: [[39, 39]], resolved: [] }],
    20: [{ open: [[25, 25]], resolved: [] }],
    10: [],
    0: [
      {
        open: [
          [2, 4],
          [9, 9],
        ],
        resolved: [],
      },
    ],
  })
  expect(Object.keys(await found({ from: 20, to: 35 }))).toEqual(['20', '30'])
})

test('the next amendment that says something of a record resolves it; refused again, it is open there', async () => {
  await redrive([3, 4, 9], [4, 9])
  await redrive([2, 9])
  expect((await found())[0]).toEqual([
    {
      open: [],
      resolved: [
        [[[2, 2]], 1],
        [
          [
            [3, 4],
            [9, 9],
          ],
          0,
        ],
      ],
    },
    { open: [[4, 4]], resolved: [[[[9, 9]], 1]] },
  ])
})

test('a record that fills a gap and is rejected is a dead letter of its amendment', async () => {
  const other: LogId = { ...ID, partition: 1 }
  const log = new CommitLog(store, other)
  await log.land(recordsAt(0, 5), writeOffsets())
  await log.land(recordsAt(3), writeOffsets([3], 'rows_dead_letters'))
  const [commit] = await all(deadLettersOf(store, new LogStore(store, other)))
  expect(commit).toMatchObject({
    commit: 0,
    entries: [{ open: [[3, 3]], files: [{ table: 'rows_dead_letters', rows: 1 }] }],
  })
})

test('only the files of dead letters are theirs', async () => {
  const commits = await all(deadLettersOf(store, new LogStore(store, ID), { to: 9 }))
  expect(commits[0]?.entries[0]?.files.map(({ table }) => table)).toEqual(['rows_dead_letters'])
})

test('a commit that was listed and is gone is a fault, not a log without it', async () => {
  const vanishing = store.through(async ({ operation, key }, effect) =>
    operation === 'get' && key.includes('/commits/') ? (undefined as never) : effect(),
  )
  await expect(all(deadLettersOf(vanishing, new LogStore(vanishing, ID)))).rejects.toMatchObject({
    code: 'LOG_CORRUPT',
  })
})
