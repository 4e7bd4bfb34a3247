import { CommitLog, type LandMode } from '#shared/lake/commit-log.ts'
import type { LogEntry } from '#shared/lake/log-entry.ts'
import { amendmentKey, type LogId, logPrefix, MAX_OFFSET, parseDataFileKey } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import type { Landing, WriteSlice } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { type Interceptor, MemoryStore, type StoreCall } from '#test/helpers/memory-store.ts'
import { range, recordsAt, writeOffsets } from '#test/helpers/slices.ts'

const ID: LogId = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights', epoch: 3, partition: 0 }
const LOG = logPrefix(ID)
const DAY = 24 * 60 * 60 * 1000

let store: MemoryStore

beforeEach(() => {
  store = new MemoryStore()
})

interface LandOptions {
  readonly log?: CommitLog
  readonly write?: WriteSlice
  readonly mode?: LandMode
}

/** Lands offsets as a function that has just started does, or by a log that is open already. */
function land(
  offsets: readonly number[],
  { log = new CommitLog(store, ID), write = writeOffsets(), mode }: LandOptions = {},
): Promise<Landing> {
  return log.land(recordsAt(...offsets), write, mode)
}

/** The chain: each commit, and what amends it, by the offsets that they cover. */
async function chain(): Promise<
  { start: number; end: number; covered: LogEntry['covered']; amendments: LogEntry['covered'][] }[]
> {
  const log = new LogStore(store, ID)
  const commits = []
  for await (const { start, end, covered } of log.commits()) {
    const amendments = (await log.amendmentsOf(start)).map((amendment) => amendment.covered)
    commits.unshift({ start, end, covered, amendments })
  }
  return commits
}

/** How often each offset is in a table, for those who read the files that the log names. */
async function read(table: string): Promise<Record<string, number>> {
  const log = new LogStore(store, ID)
  const times: Record<string, number> = {}
  for (const entries of [log.commits(), log.amendments()])
    for await (const { files } of entries)
      for (const { path } of files.filter((file) => file.table === table))
        for (const offset of JSON.parse(Buffer.from((await store.get(path)) ?? []).toString()) as number[])
          times[offset] = (times[offset] ?? 0) + 1
  return times
}

const once = (...offsets: readonly number[]): Record<string, number> =>
  Object.fromEntries(offsets.map((offset) => [offset, 1]))

async function keys(prefix = ''): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list(prefix)) found.push(key)
  return found
}

/** A view of the store whose calls are noted, by operation and the part of the lake that they are for. */
function watched(calls: string[]): MemoryStore {
  return store.through(async (call, effect) => {
    calls.push(`${call.operation} ${partOf(call)}`)
    return effect()
  })
}

function partOf({ key }: StoreCall): string {
  if (key.startsWith(LOG)) return key.slice(LOG.length).split('/')[0] ?? ''
  return key.includes('/endings/') ? 'endings' : 'data'
}

/** What lets through all calls but those of one operation on a part of the lake. */
function interceptor(operation: string, part: string, intercept: Interceptor): Interceptor {
  return (call, effect) =>
    call.operation === operation && partOf(call) === part ? intercept(call, effect) : Promise.resolve(effect())
}

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
    expect(commit).toEqual(await new LogStore(store, ID).commitAt(0))
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
    expect((await keys('tables/')).sort()).toEqual(contents[0]?.files.map(({ path }) => path).sort())
    expect(contents[0]?.files).toHaveLength(2)
  })

  test('are not put when the flow fails', async () => {
    const write: WriteSlice = () => Promise.reject(new Error('no endpoint'))
    await expect(land([0], { write })).rejects.toThrow('no endpoint')
    expect(await chain()).toEqual([])
  })

  test('nothing is landed by an empty slice', async () => {
    expect(await land([])).toEqual({ known: 0, contents: [] })
    expect(await keys()).toEqual([])
  })

  test.each([
    ['descend', recordsAt(3, 2)],
    ['repeat', recordsAt(3, 3)],
    ['are negative', recordsAt(-1)],
    ['are no integers', recordsAt(0.5)],
    ['leave no room for the next', recordsAt(MAX_OFFSET)],
  ])('offsets that %s are refused', async (_, records) => {
    const landing = new CommitLog(store, ID).land(records, writeOffsets())
    await expect(landing).rejects.toMatchObject({ code: 'EVENT_MALFORMED' })
    expect(await keys()).toEqual([])
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

describe('races', () => {
  test('a put that worked, but which the client sent twice, is its own', async () => {
    const twice = interceptor('putIfAbsent', 'commits', async (_call, effect) => {
      effect()
      return effect()
    })
    const landing = await land([0, 1], { log: new CommitLog(store.through(twice), ID) })
    expect(landing).toMatchObject({ known: 0, contents: [{ counts: { records: 2 } }] })
    expect(await chain()).toHaveLength(1)
  })

  test('who loses a commit looks again and writes files anew for the next place', async () => {
    const log = new CommitLog(store.through(before('commits', () => land([0, 1, 2]))), ID)
    const { known, contents } = await land([2, 3], { log })
    expect(known).toBe(1)
    expect((await chain()).map(({ covered }) => covered)).toEqual([[[0, 2]], [[3, 3]]])
    expect(contents.map(({ files }) => parseDataFileKey(files[0]?.path ?? '')?.place)).toEqual([
      { kind: 'commit', start: 3 },
    ])
    expect(await read('rows')).toEqual(once(0, 1, 2, 3))
    expect(await keys('tables/')).toHaveLength(3)
  })

  test('who loses an amendment looks again and fills what is left', async () => {
    await land([0, 5])
    const log = new CommitLog(store.through(before('amendments', () => land([1, 2]))), ID)
    expect(await land([2, 3], { log })).toMatchObject({ known: 1, contents: [{ number: 1, covered: [[3, 3]] }] })
    expect(await read('rows')).toEqual(once(0, 1, 2, 3, 5))
  })

  test('who finds nothing left after a lost race has landed nothing', async () => {
    const log = new CommitLog(store.through(before('commits', () => land([0, 1]))), ID)
    expect(await land([0, 1], { log })).toEqual({ known: 2, contents: [] })
  })

  /** Has something happen right before the first entry of a kind is put. */
  function before(part: string, happening: () => Promise<unknown>): Interceptor {
    let isFirst = true
    return interceptor('putIfAbsent', part, async (_call, effect) => {
      if (isFirst) await happening()
      isFirst = false
      return effect()
    })
  }
})

describe('the order of writes', () => {
  test('files are durable before the commit that names them', async () => {
    const calls: string[] = []
    await land([0, 1], { log: new CommitLog(watched(calls), ID), write: writeOffsets([1]) })
    expect(calls).toEqual([
      'list commits',
      'put announced',
      'get endings',
      'put data',
      'put data',
      'putIfAbsent commits',
    ])
  })

  test('a marker for each table is there before the amendment is', async () => {
    await land([0, 3])
    const calls: string[] = []
    await land([1, 2], { log: new CommitLog(watched(calls), ID), write: writeOffsets([2]) })
    expect(calls).toEqual([
      'list commits',
      'get commits',
      'list commits',
      'list amendments',
      'put data',
      'put data',
      'put dirty',
      'put dirty',
      'putIfAbsent amendments',
    ])
    const markers = new LogStore(store, ID)
    expect(await markers.markers('rows')).toEqual([{ amends: 0, number: 0 }])
    expect(await markers.markers('dead_letters')).toEqual([{ amends: 0, number: 0 }])
  })

  test('an amendment gets no marker for a table that it does not touch', async () => {
    await land([0, 3])
    await land([1])
    expect(await new LogStore(store, ID).markers('dead_letters')).toEqual([])
  })

  test.each([
    ['put', 'data'],
    ['put', 'dirty'],
    ['putIfAbsent', 'amendments'],
  ])('if a %s of %s fails, nothing is landed, and the same writer may try again', async (operation, part) => {
    await land([0, 3])
    let isDown = true
    const outage = interceptor(operation, part, async (_call, effect) => {
      if (isDown) throw new InletError('STORE_UNAVAILABLE', 'it is down')
      return effect()
    })
    const log = new CommitLog(store.through(outage), ID)
    await expect(land([1], { log })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await chain())[0]?.amendments).toEqual([])
    isDown = false
    expect(await land([1], { log })).toMatchObject({ known: 0, contents: [{ covered: [[1, 1]] }] })
  })
})

describe('a warm writer', () => {
  test('lists nothing while its commit is the newest', async () => {
    const calls: string[] = []
    const log = new CommitLog(watched(calls), ID)
    await land([0, 1], { log })
    calls.length = 0
    await land([2, 3], { log })
    expect(calls).toEqual(['put data', 'putIfAbsent commits'])
  })

  test('asks about what is before its newest commit', async () => {
    const log = new CommitLog(store, ID)
    await land([0, 1], { log })
    await land([2, 3], { log })
    expect(await land([0, 1], { log })).toEqual({ known: 2, contents: [] })
  })

  test('finds out that others have gone on', async () => {
    const log = new CommitLog(store, ID)
    await land([0, 1], { log })
    await land([2, 3])
    await land([4, 5])
    expect(await land([3, 4, 5, 6], { log })).toMatchObject({ known: 3, contents: [{ covered: [[6, 6]] }] })
    expect(await read('rows')).toEqual(once(...range(0, 6)))
  })
})

describe('offsets that start again are refused', () => {
  /** Records of a topic that was created anew, much later. */
  const laterBy = (ms: number, ...offsets: number[]): KafkaRecord[] =>
    recordsAt(...offsets).map((record) => ({ ...record, timestamp: record.timestamp + ms }))

  test.each([
    ['another time', laterBy(30 * DAY, 1, 2)],
    ['another first record', recordsAt(0, 1).map((record) => ({ ...record, value: Buffer.from('other') }))],
    ['a gap, but more than a day later', laterBy(2 * DAY, 4)],
  ])('in a commit: %s', async (_, records) => {
    await land([0, 1, 2, 3, 5])
    const before = await keys()
    const landing = new CommitLog(store, ID).land(records, writeOffsets())
    await expect(landing).rejects.toMatchObject({ code: 'OFFSETS_RESTARTED', canRetry: false })
    expect(await keys()).toEqual(before)
  })

  test('in an amendment', async () => {
    await land([0, 5])
    await land([1, 2])
    const landing = new CommitLog(store, ID).land(laterBy(2 * DAY, 1), writeOffsets(), 'redrive')
    await expect(landing).rejects.toMatchObject({ code: 'OFFSETS_RESTARTED' })
  })

  test('and the message names the record and what may have happened', async () => {
    await land([0, 1])
    const landing = new CommitLog(store, ID).land(laterBy(DAY, 1), writeOffsets())
    await expect(landing).rejects.toThrow(/flights-0@1 .*2013-01-01T10:00:00.000Z.*re-created/)
  })
})

test('a hole in the amendments is no gap to be filled', async () => {
  await land([0, 9])
  for (const offset of [1, 2, 3]) await land([offset])
  await store.delete(amendmentKey(LOG, 0, 1))
  await expect(land([4])).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
  await expect(land([4])).rejects.toThrow('000001.json is missing')
})

describe('a seal', () => {
  test('ends the chain behind its newest commit, once, however often', async () => {
    await land([0, 1, 2])
    const seal = await new CommitLog(store, ID).seal()
    expect(seal).toMatchObject({ kind: 'seal', start: 3, end: MAX_OFFSET - 1, covered: [], files: [] })
    expect(await new CommitLog(store, ID).seal()).toEqual(seal)
    expect(await chain()).toMatchObject([
      { start: 0, end: 2 },
      { start: 3, covered: [] },
    ])
  })

  test('ends a log that has not begun: nothing lands in it any more but what is redriven', async () => {
    expect(await new CommitLog(store, ID).seal()).toMatchObject({ kind: 'seal', start: 0, end: MAX_OFFSET - 1 })
    await expect(land([4])).rejects.toMatchObject({ code: 'EPOCH_ENDED' })
    await land([4], { mode: 'redrive' })
    expect(await read('rows')).toEqual(once(4))
  })

  test('a race with a commit is won by one of them', async () => {
    await land([0])
    const [, seal] = await Promise.all([land([1]).catch(() => {}), new CommitLog(store, ID).seal()])
    const found = await chain()
    expect(found.at(-1)?.start).toBe(seal.start)
    expect(found.length).toBe(seal.start === 1 ? 2 : 3)
  })

  test.each<[string, number[]]>([
    ['behind the end', [3, 4]],
    ['in a gap', [1]],
    ['that are known', [0, 2]],
  ])('what a trigger delivers %s fails and will be delivered again', async (_, offsets) => {
    await land([0, 2])
    const warm = new CommitLog(store, ID)
    await land([0], { log: warm })
    await new CommitLog(store, ID).seal()
    for (const log of [warm, new CommitLog(store, ID)])
      await expect(land(offsets, { log })).rejects.toMatchObject({
        code: 'EPOCH_ENDED',
        canRetry: true,
        message: expect.stringContaining(`run "inlet epoch flights --end 3 --cluster c --lake ${store.url}"`),
      })
    expect(await read('rows')).toEqual(once(0, 2))
  })

  test('a redrive still settles what was rejected, what is in gaps, and what never came', async () => {
    await land([0, 1, 3], { write: writeOffsets([1]) })
    await new CommitLog(store, ID).seal()
    await land([1, 2, 7], { mode: 'redrive' })
    expect(await land([1, 2, 7], { mode: 'redrive' })).toMatchObject({ known: 3, contents: [] })
    expect(await read('rows')).toEqual(once(0, 1, 2, 3, 7))
  })
})
