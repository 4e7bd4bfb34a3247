import { CommitLog } from '#shared/lake/commit-log.ts'
import { MAX_OFFSET } from '#shared/lake/log-keys.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { ID, memoryLog, once } from '#test/helpers/memory-log.ts'
import { recordsAt, writeOffsets } from '#test/helpers/slices.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const DAY = 24 * 60 * 60 * 1000
const { store, land, chain, read } = memoryLog()

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
    const before = await keysOf(store(), '')
    const landing = new CommitLog(store(), ID).land(records, writeOffsets())
    await expect(landing).rejects.toMatchObject({ code: 'OFFSETS_RESTARTED', canRetry: false })
    expect(await keysOf(store(), '')).toEqual(before)
  })

  test('in an amendment', async () => {
    await land([0, 5])
    await land([1, 2])
    const landing = new CommitLog(store(), ID).land(laterBy(2 * DAY, 1), writeOffsets(), 'redrive')
    await expect(landing).rejects.toMatchObject({ code: 'OFFSETS_RESTARTED' })
  })

  test('and the message names the record and what may have happened', async () => {
    await land([0, 1])
    const landing = new CommitLog(store(), ID).land(laterBy(DAY, 1), writeOffsets())
    await expect(landing).rejects.toThrow(/flights-0@1 .*2013-01-01T10:00:00.000Z.*re-created/)
  })
})

describe('a seal', () => {
  test('ends the chain behind its newest commit, once, however often', async () => {
    await land([0, 1, 2])
    const seal = await new CommitLog(store(), ID).seal()
    expect(seal).toMatchObject({ kind: 'seal', start: 3, end: MAX_OFFSET - 1, covered: [], files: [] })
    expect(await new CommitLog(store(), ID).seal()).toEqual(seal)
    expect(await chain()).toMatchObject([
      { start: 0, end: 2 },
      { start: 3, covered: [] },
    ])
  })

  test('ends a log that has not begun: nothing lands in it any more but what is redriven', async () => {
    expect(await new CommitLog(store(), ID).seal()).toMatchObject({ kind: 'seal', start: 0, end: MAX_OFFSET - 1 })
    await expect(land([4])).rejects.toMatchObject({ code: 'EPOCH_ENDED' })
    await land([4], { mode: 'redrive' })
    expect(await read('rows')).toEqual(once(4))
  })

  test('a race with a commit is won by one of them', async () => {
    await land([0])
    const [, seal] = await Promise.all([land([1]).catch(() => {}), new CommitLog(store(), ID).seal()])
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
    const warm = new CommitLog(store(), ID)
    await land([0], { log: warm })
    await new CommitLog(store(), ID).seal()
    for (const log of [warm, new CommitLog(store(), ID)])
      await expect(land(offsets, { log })).rejects.toMatchObject({
        code: 'EPOCH_ENDED',
        canRetry: true,
        message: expect.stringContaining(`run "inlet epoch flights --end 3 --cluster c --lake ${store().url}"`),
      })
    expect(await read('rows')).toEqual(once(0, 2))
  })

  test('a redrive still settles what was rejected, what is in gaps, and what never came', async () => {
    await land([0, 1, 3], { write: writeOffsets([1]) })
    await new CommitLog(store(), ID).seal()
    await land([1, 2, 7], { mode: 'redrive' })
    expect(await land([1, 2, 7], { mode: 'redrive' })).toMatchObject({ known: 3, contents: [] })
    expect(await read('rows')).toEqual(once(0, 1, 2, 3, 7))
  })
})
