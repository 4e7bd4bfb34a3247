import { setTimeout as sleep } from 'node:timers/promises'
import { CommitLog, type LandMode } from '#shared/lake/commit-log.ts'
import { type LogMarks, type NewEntries, newEntries, NO_MARKS, releaseMarkers } from '#shared/lake/log-follower.ts'
import type { LogId } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { recordsAt, writeOffsets } from '#test/helpers/slices.ts'

const ID: LogId = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights', epoch: 0, partition: 0 }

let store: MemoryStore
let log: LogStore

beforeEach(() => {
  store = new MemoryStore()
  log = new LogStore(store, ID)
})

async function land(
  offsets: readonly number[],
  rejected: readonly number[] = [],
  mode: LandMode = 'deliver',
): Promise<void> {
  await new CommitLog(store, ID).land(recordsAt(...offsets), writeOffsets(rejected), mode)
}

/** Entries in a few characters: a commit by its offsets, an amendment by its place and offsets. */
function namesOf({ entries }: NewEntries): string[] {
  return entries.map(({ kind, amends, number, covered }) => {
    const offsets = covered.map(([first, last]) => (first === last ? first : `${first}…${last}`)).join(' ')
    return kind === 'commit' ? offsets : `${amends}.${number}: ${offsets}`
  })
}

describe('newEntries', () => {
  test('finds nothing in an empty log', async () => {
    expect(await newEntries(log, 'rows', NO_MARKS)).toEqual({ entries: [], marks: NO_MARKS, markers: [], since: null })
  })

  test('follows the chain from the marks, whose gaps are no end of it', async () => {
    await land([0, 1])
    await land([5])
    const first = await newEntries(log, 'rows', NO_MARKS)
    expect(namesOf(first)).toEqual(['0…1', '5'])
    await land([6, 9])
    const second = await newEntries(log, 'rows', first.marks)
    expect(namesOf(second)).toEqual(['6 9'])
    expect(second.marks).toEqual({ next: 10, amended: {} })
    expect(namesOf(await newEntries(log, 'rows', second.marks))).toEqual([])
  })

  test('says since when the first commit has waited that it takes', async () => {
    await land([0])
    await sleep(5)
    await land([1])
    const [first, second] = await log.datedStartsFrom(0)
    expect(second?.at).toBeGreaterThan(first?.at ?? 0)
    expect((await newEntries(log, 'rows', NO_MARKS)).since).toBe(first?.at)
    expect((await newEntries(log, 'rows', { next: 1, amended: {} })).since).toBe(second?.at)
  })

  test('takes no more commits than the limit, and the others the next time', async () => {
    for (const offset of [0, 1, 2]) await land([offset])
    const first = await newEntries(log, 'rows', NO_MARKS, 2)
    expect(namesOf(first)).toEqual(['0', '1'])
    expect(namesOf(await newEntries(log, 'rows', first.marks, 2))).toEqual(['2'])
  })

  test('takes each amendment of a table once, however many are put at a time', async () => {
    await land([0, 3, 6])
    await land([9])
    await land([1])
    await land([2])
    const first = await newEntries(log, 'rows', NO_MARKS)
    expect(namesOf(first)).toEqual(['0 3 6', '9', '0.0: 1', '0.1: 2'])
    expect(first.marks).toEqual({ next: 10, amended: { 0: 2 } })
    await land([4])
    await land([7])
    const second = await newEntries(log, 'rows', first.marks)
    expect(namesOf(second)).toEqual(['0.2: 4', '7.0: 7'])
    expect(second.marks).toEqual({ next: 10, amended: { 0: 3, 7: 1 } })
  })

  test('each table has marks and markers of its own', async () => {
    await land([0, 3])
    await land([1])
    await land([2], [2])
    const rows = await newEntries(log, 'rows', NO_MARKS)
    const deadLetters = await newEntries(log, 'dead_letters', NO_MARKS)
    expect(rows.markers).toEqual([{ amends: 0, number: 0 }])
    expect(deadLetters.markers).toEqual([{ amends: 0, number: 1 }])
    // Both have read the whole chain of amendments: which files are theirs, each file says.
    expect(rows.marks).toEqual(deadLetters.marks)
    await releaseMarkers(log, 'rows', rows.marks, rows.markers)
    expect(await log.markers('dead_letters')).toEqual(deadLetters.markers)
  })

  test('a marker whose amendment never came is looked at and nothing else', async () => {
    await land([0, 3])
    await log.putMarker('rows', { amends: 0, number: 0 })
    const { entries, marks, markers } = await newEntries(log, 'rows', { next: 4, amended: {} })
    expect(entries).toEqual([])
    await releaseMarkers(log, 'rows', marks, markers)
    await land([1])
    expect(namesOf(await newEntries(log, 'rows', marks))).toEqual(['0.0: 1'])
  })

  test('an amendment that is put between the look at the markers and the next step is found the next time', async () => {
    await land([0, 3])
    await land([1])
    const meanwhile = store.through(async (call, effect) => {
      const answer = effect()
      if (call.operation === 'list' && call.key.includes('/dirty/')) await land([2])
      return answer
    })
    const first = await newEntries(new LogStore(meanwhile, ID), 'rows', NO_MARKS)
    await releaseMarkers(log, 'rows', first.marks, first.markers)
    const second = await newEntries(log, 'rows', first.marks)
    expect([...namesOf(first), ...namesOf(second)]).toEqual(['0 3', '0.0: 1', '0.1: 2'])
  })
})

describe('releaseMarkers', () => {
  test('deletes those that the marks count, and no others', async () => {
    await land([0, 9])
    for (const offset of [1, 2, 3]) await land([offset])
    const all = await log.markers('rows')
    const marks: LogMarks = { next: 10, amended: { 0: 2 } }
    await releaseMarkers(log, 'rows', marks, all)
    expect(all).toHaveLength(3)
    expect(await log.markers('rows')).toEqual([{ amends: 0, number: 2 }])
  })

  test('leaves all while the marks count none', async () => {
    await land([0, 9])
    await land([1])
    await releaseMarkers(log, 'rows', NO_MARKS, await log.markers('rows'))
    expect(await log.markers('rows')).toHaveLength(1)
  })

  test('leaves what came since the marks were read', async () => {
    await land([0, 9])
    await land([1])
    const { marks, markers } = await newEntries(log, 'rows', NO_MARKS)
    await land([2])
    await releaseMarkers(log, 'rows', marks, markers)
    expect(await log.markers('rows')).toEqual([{ amends: 0, number: 1 }])
  })
})
