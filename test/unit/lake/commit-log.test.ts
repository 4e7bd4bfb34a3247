import { CommitLog } from '#shared/lake/commit-log.ts'
import type { LogEntry } from '#shared/lake/log-entry.ts'
import { amendmentKey, logPrefix, MAX_OFFSET, parseDataFileKey } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import type { Landing, WriteSlice } from '#shared/pipeline/commit.ts'
import { ID, memoryLog, once } from '#test/helpers/memory-log.ts'
import { range, recordsAt, writeOffsets } from '#test/helpers/slices.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const { store, land, chain, read } = memoryLog()
const LOG = logPrefix(ID)

describe('commits', () => {
  test('begin at 0 and continue where the one before ends', async () => {
    await land([7, 8, 9])
    await land([10, 12])
    await land([15])
    expect(await chain()).toEqual([
      { start: 0, end: 9, covered: [[7, 9]], amendments: [] },
      {
        start: 10,
        end: 12,
        covered: [
          [10, 10],
          [12, 12],
        ],
        amendments: [],
      },
      { start: 13, end: 15, covered: [[15, 15]], amendments: [] },
    ])
  })

  test('say what the flow said, and how they were made', async () => {
    const epochs: number[] = []
    const write: WriteSlice = async (records, attempt) => {
      epochs.push(attempt.epoch)
      return writeOffsets([5])(records, attempt)
    }
    const { known, contents } = await land([4, 5], { write })
    const [commit] = contents as [LogEntry]
    expect(known).toBe(0)
    expect(commit).toEqual(await new LogStore(store(), ID).commitAt(0))
    expect(commit).toMatchObject({ kind: 'commit', amends: null, rejected: [[5, 5]], schemaId: 's1', specId: 'p1' })
    expect(commit.counts).toEqual({ records: 2, written: 1, skipped: 0, rejected: 1, rows: 1 })
    expect(commit.files.map((file) => file.table)).toEqual(['rows', 'dead_letters'])
    expect(epochs).toEqual([3])
  })

  test('name files by place, digest and size', async () => {
    const { contents } = await land([0, 1])
    const file = contents[0]?.files[0]
    // sha256sum of "[0,1]"
    expect(file).toMatchObject({
      bytes: 5,
      rows: 2,
      partition: { day: 15706 },
      sha256: '463f2998327eb3a694145e6014444480b2235be84aa6cfd57871cc64f1cd816c',
    })
    expect(parseDataFileKey(file?.path ?? '')?.place).toEqual({ kind: 'commit', start: 0 })
  })

  test('name as many files as the flow has written, also of one table partition', async () => {
    const write: WriteSlice = async (records, attempt) => {
      const [first, second] = await Promise.all([writeOffsets()(records, attempt), writeOffsets()(records, attempt)])
      return { ...first, files: [...first.files, ...second.files] }
    }
    const { contents } = await land([0], { write })
    expect((await keysOf(store(), 'tables/')).sort()).toEqual(contents[0]?.files.map(({ path }) => path).sort())
    expect(contents[0]?.files).toHaveLength(2)
  })

  test('are not put when the flow fails', async () => {
    const write: WriteSlice = () => Promise.reject(new Error('no endpoint'))
    await expect(land([0], { write })).rejects.toThrow('no endpoint')
    expect(await chain()).toEqual([])
  })

  test('nothing is landed by an empty slice', async () => {
    expect(await land([])).toEqual({ known: 0, contents: [] })
    expect(await keysOf(store(), '')).toEqual([])
  })

  test.each([
    ['descend', recordsAt(3, 2)],
    ['repeat', recordsAt(3, 3)],
    ['are negative', recordsAt(-1)],
    ['are no integers', recordsAt(0.5)],
    ['leave no room for the next', recordsAt(MAX_OFFSET)],
  ])('offsets that %s are refused', async (_, records) => {
    const landing = new CommitLog(store(), ID).land(records, writeOffsets())
    await expect(landing).rejects.toMatchObject({ code: 'EVENT_MALFORMED' })
    expect(await keysOf(store(), '')).toEqual([])
  })

  test('the greatest offset has a place', async () => {
    await land([MAX_OFFSET - 1])
    expect(await land([MAX_OFFSET - 1])).toMatchObject({ known: 1 })
  })
})

describe('a redelivery', () => {
  test('of the same records is known', async () => {
    await land(range(0, 9))
    expect(await land(range(0, 9))).toEqual({ known: 10, contents: [] })
    expect(await read('rows')).toEqual(once(...range(0, 9)))
  })

  test('with other boundaries lands what is new, behind the chain', async () => {
    await land(range(0, 4))
    await land(range(5, 9))
    const { known, contents } = await land(range(3, 12))
    expect([known, contents.length]).toEqual([7, 1])
    expect((await chain()).map(({ start, end }) => [start, end])).toEqual([
      [0, 4],
      [5, 9],
      [10, 12],
    ])
    expect(await read('rows')).toEqual(once(...range(0, 12)))
  })

  test.each([
    ['in order', [range(0, 4), range(5, 9)]],
    ['in reverse', [range(5, 9), range(0, 4)]],
  ])('as two halves, %s, lands each once', async (_, [first = [], second = []]) => {
    await land(first)
    await land(second)
    expect(await land(range(0, 9))).toEqual({ known: 10, contents: [] })
    expect(await read('rows')).toEqual(once(...range(0, 9)))
  })

  test('fills gaps of several commits and goes on behind them', async () => {
    await land([1, 3])
    await land([5, 7])
    const { known, contents } = await land(range(0, 9))
    expect([known, contents.length]).toEqual([4, 3])
    expect(await chain()).toEqual([
      {
        start: 0,
        end: 3,
        covered: [
          [1, 1],
          [3, 3],
        ],
        amendments: [
          [
            [0, 0],
            [2, 2],
          ],
        ],
      },
      {
        start: 4,
        end: 7,
        covered: [
          [5, 5],
          [7, 7],
        ],
        amendments: [
          [
            [4, 4],
            [6, 6],
          ],
        ],
      },
      { start: 8, end: 9, covered: [[8, 9]], amendments: [] },
    ])
    expect(await read('rows')).toEqual(once(...range(0, 9)))
  })

  test('of a gap that was filled is known', async () => {
    await land([0, 4])
    await land([1, 2])
    await land([2, 3])
    expect(await land(range(0, 4))).toEqual({ known: 5, contents: [] })
    expect((await chain())[0]?.amendments).toEqual([[[1, 2]], [[3, 3]]])
  })

  test('does not bring a rejected record back', async () => {
    await land([0, 1], { write: writeOffsets([1]) })
    expect(await land([0, 1])).toEqual({ known: 2, contents: [] })
    expect(await read('rows')).toEqual(once(0))
  })
})

describe('a redrive', () => {
  const redrive = (offsets: readonly number[], rejected: readonly number[] = []): Promise<Landing> =>
    land(offsets, { write: writeOffsets(rejected), mode: 'redrive' })

  test('lands what was rejected, once', async () => {
    await land(range(0, 4), { write: writeOffsets([1, 3]) })
    expect(await redrive(range(0, 4))).toMatchObject({ known: 3, contents: [{ counts: { written: 2 } }] })
    expect(await redrive(range(0, 4))).toEqual({ known: 5, contents: [] })
    expect(await read('rows')).toEqual(once(...range(0, 4)))
  })

  test('may be rejected again, and succeed after that', async () => {
    await land([0, 1], { write: writeOffsets([1]) })
    await redrive([1], [1])
    expect(await redrive([1])).toMatchObject({ known: 0 })
    expect(await redrive([1])).toMatchObject({ known: 1 })
    expect(await read('rows')).toEqual(once(0, 1))
    expect(await read('dead_letters')).toEqual({ 1: 2 })
  })

  test('lands what is in no commit, within the chain and behind it', async () => {
    await land([0, 4])
    await redrive([2, 6])
    expect((await chain()).map(({ covered, amendments }) => [covered, amendments])).toEqual([
      [
        [
          [0, 0],
          [4, 4],
        ],
        [[[2, 2]]],
      ],
      [[[6, 6]], []],
    ])
  })
})

test('a hole in the amendments is no gap to be filled', async () => {
  await land([0, 9])
  for (const offset of [1, 2, 3]) await land([offset])
  await store().delete(amendmentKey(LOG, 0, 1))
  await expect(land([4])).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
  await expect(land([4])).rejects.toThrow('000001.json is missing')
})
