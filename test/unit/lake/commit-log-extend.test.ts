import { CommitLog } from '#shared/lake/commit-log.ts'
import type { Extent } from '#shared/lake/log-entry.ts'
import { SliceExtent } from '#shared/lake/slice-extent.ts'
import type { SliceContent } from '#shared/pipeline/commit.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { recordsAt } from '#test/helpers/slices.ts'

const ID = { pipeline: 'p', generation: 0, cluster: 'c', topic: 'flights', epoch: 0, partition: 0 }

const extentOf = (...offsets: number[]): Extent => {
  const extent = new SliceExtent()
  extent.add(recordsAt(...offsets))
  return extent.extent
}
const contentOf = (records: number): SliceContent => ({
  files: [],
  rejected: [],
  counts: { records, written: 0, skipped: records, rejected: 0, rows: 0 },
  pipelineVersion: 'v',
  schemaId: 's',
  specId: 'p',
  watermark: null,
})

async function extended(log: CommitLog, start: number, ...offsets: number[]) {
  return log.commitAt(start, await log.beginAt(start), extentOf(...offsets), contentOf(offsets.length))
}

test('commits of records that are gone make the same chain as others', async () => {
  const store = new MemoryStore()
  const log = new CommitLog(store, ID)
  expect(await extended(log, 0, 3, 4, 7)).toMatchObject({
    start: 0,
    end: 7,
    covered: [
      [3, 4],
      [7, 7],
    ],
  })
  expect(await extended(log, 8, 9)).toMatchObject({ start: 8, end: 9 })
  const known = await new CommitLog(store, ID).land(recordsAt(3, 4, 7, 9), () => Promise.reject(new Error('written')))
  expect(known).toEqual({ known: 4, contents: [] })
})

test('who comes second at a place has no commit, and the first one keeps it', async () => {
  const store = new MemoryStore()
  const [one, other] = [new CommitLog(store, ID), new CommitLog(store, ID)]
  const late = await other.beginAt(0)
  await extended(one, 0, 0, 1)
  expect(await other.commitAt(0, late, extentOf(0, 1, 2), contentOf(3))).toBeUndefined()
  expect(await other.newest()).toMatchObject({ start: 0, end: 1 })
})

test('an attempt whose put has worked, and whose answer was lost, is told so when it puts again', async () => {
  const log = new CommitLog(new MemoryStore(), ID)
  const attempt = await log.beginAt(0)
  const first = await log.commitAt(0, attempt, extentOf(0, 1), contentOf(2))
  expect(await log.commitAt(0, attempt, extentOf(0, 1), contentOf(2))).toEqual(first)
})

test('behind a seal nothing is put, and a log whose epoch is being ended does not begin', async () => {
  const log = new CommitLog(new MemoryStore(), ID)
  await extended(log, 0, 0, 1)
  const attempt = await log.beginAt(2)
  await log.seal()
  expect(await log.commitAt(2, attempt, extentOf(2), contentOf(1))).toBeUndefined()
  expect(log.epochEnded()).toMatchObject({ code: 'EPOCH_ENDED', canRetry: true })
})

describe('a topic that goes on', () => {
  const log = new CommitLog(new MemoryStore(), ID)
  const landed = () => extended(new CommitLog(new MemoryStore(), ID), 0, 0, 1, 2)

  test('has the last record that has landed, or has deleted it', async () => {
    const newest = await landed()
    const [last] = recordsAt(2)
    expect(() => log.requireContinued(newest as never, last, 3)).not.toThrow()
    expect(() => log.requireContinued(newest as never, undefined, 90)).not.toThrow()
  })

  test('does not end before it, nor have another in its place', async () => {
    const newest = await landed()
    const [last] = recordsAt(2)
    const restarted = expect.objectContaining({
      code: 'OFFSETS_RESTARTED',
      message: expect.stringContaining('inlet epoch p'),
    })
    const thrown = (end: number, record: typeof last): unknown => {
      try {
        return log.requireContinued(newest as never, record, end)
      } catch (error) {
        return error
      }
    }
    expect(thrown(2, undefined)).toEqual(restarted)
    expect(thrown(3, { ...(last as NonNullable<typeof last>), value: Buffer.from('another') })).toEqual(restarted)
    expect(log.topicReplaced()).toEqual(restarted)
  })
})
