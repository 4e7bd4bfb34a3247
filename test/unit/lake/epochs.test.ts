import { CommitLog } from '#shared/lake/commit-log.ts'
import { beginEpoch, currentEpoch } from '#shared/lake/epochs.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import type { TopicId } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import type { SliceLog } from '#shared/pipeline/commit.ts'
import type { InletError } from '#shared/pipeline/errors.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { recordsAt, writeOffsets } from '#test/helpers/slices.ts'

const TOPIC: TopicId = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights' }
const DAY = 24 * 60 * 60 * 1000
let store: MemoryStore

beforeEach(() => {
  store = new MemoryStore()
})

/** A log as a function that has just started opens it. */
function open(partition = 0, lake = new ObjectStoreLake(store)): SliceLog {
  return lake.openLog({ name: 'flights', generation: 0 }, { cluster: 'c', topic: 'flights' }, partition)
}

/** Records of the topic's next life. */
function laterAt(...offsets: readonly number[]): KafkaRecord[] {
  return recordsAt(...offsets).map((record) => ({ ...record, timestamp: record.timestamp + 7 * DAY }))
}

async function covered(epoch: number, partition = 0): Promise<(readonly (readonly [number, number])[])[]> {
  const found = []
  for await (const commit of new LogStore(store, { ...TOPIC, epoch, partition }).commits())
    found.unshift(commit.covered)
  return found
}

test('a topic is in epoch 0 until another begins; then the newest counts', async () => {
  expect(await currentEpoch(store, TOPIC)).toBe(0)
  for (let epoch = 1; epoch <= 11; epoch++) {
    await open().land(laterAt(epoch), writeOffsets())
    expect(await beginEpoch(store, TOPIC, epoch - 1)).toMatchObject({
      epoch,
      sealed: [{ partition: 0, lastOffset: epoch }],
    })
    expect(await currentEpoch(store, TOPIC)).toBe(epoch)
  }
})

test('offsets that start again fail, with the command; in the next epoch they land beside the old ones', async () => {
  await open().land(recordsAt(0, 1, 2), writeOffsets())
  const again = (): Promise<unknown> => open().land(laterAt(0, 1), writeOffsets())
  await expect(again()).rejects.toMatchObject({
    code: 'OFFSETS_RESTARTED',
    message: expect.stringContaining('inlet epoch flights --end 0 --cluster c --lake memory:'),
  })
  await beginEpoch(store, TOPIC, 0)
  await again()
  expect(await covered(0)).toEqual([[[0, 2]], []])
  expect(await covered(1)).toEqual([[[0, 1]]])
})

test('files and entries of an epoch say which it is', async () => {
  await open().land(recordsAt(0), writeOffsets())
  await beginEpoch(store, TOPIC, 0)
  const epochs: number[] = []
  await open().land(laterAt(0), (records, attempt) => {
    epochs.push(attempt.epoch)
    return writeOffsets()(records, attempt)
  })
  expect(epochs).toEqual([1])
})

test.each([
  ['of the new life, where the old log was', laterAt(0)],
  ['of the new life, behind it', laterAt(2)],
  ['of the old life', recordsAt(1)],
])('a warm writer that gets records %s fails once and goes on in the new epoch', async (_, records) => {
  const warm = open()
  await warm.land(recordsAt(0, 1), writeOffsets())
  await beginEpoch(store, TOPIC, 0)
  await expect(warm.land(records, writeOffsets())).rejects.toMatchObject({ code: 'EPOCH_ENDED' })
  expect(await covered(1)).toEqual([])
  await warm.land(laterAt(0, 1, 2), writeOffsets())
  expect(await covered(1)).toEqual([[[0, 2]]])
})

test('a writer that was told of offsets that start again looks for the new epoch the next time', async () => {
  const warm = open()
  await warm.land(recordsAt(0, 1), writeOffsets())
  await expect(warm.land(laterAt(0), writeOffsets())).rejects.toMatchObject({ code: 'OFFSETS_RESTARTED' })
  await beginEpoch(store, TOPIC, 0)
  await warm.land(laterAt(0), writeOffsets())
  expect(await covered(1)).toEqual([[[0, 0]]])
})

test('every partition of the topic is sealed, and no other log', async () => {
  for (const partition of [0, 2, 10]) await open(partition).land(recordsAt(4), writeOffsets())
  await new CommitLog(store, { ...TOPIC, generation: 1, epoch: 0, partition: 0 }).land(recordsAt(4), writeOffsets())
  await new CommitLog(store, { ...TOPIC, topic: 'flights2', epoch: 0, partition: 0 }).land(recordsAt(4), writeOffsets())
  const heard: number[] = []
  const { sealed } = await beginEpoch(store, TOPIC, 0, () => heard.push(1))
  expect(sealed.map(({ partition }) => partition)).toEqual([0, 2, 10])
  expect(heard).toHaveLength(3)
  for (const [partition, topic] of [
    [0, { ...TOPIC, generation: 1 }],
    [0, { ...TOPIC, topic: 'flights2' }],
  ] as const)
    expect((await new LogStore(store, { ...topic, epoch: 0, partition }).newest())?.kind).toBe('commit')
})

test('an epoch without commits cannot end, and one that has ended cannot end again', async () => {
  await expect(beginEpoch(store, TOPIC, 0)).rejects.toMatchObject({ code: 'EPOCH_EMPTY' })
  await open().land(recordsAt(0), writeOffsets())
  const begun = await beginEpoch(store, TOPIC, 0)
  await expect(beginEpoch(store, TOPIC, 1)).rejects.toMatchObject({ code: 'EPOCH_EMPTY' })
  await open().land(laterAt(0), writeOffsets())
  // Its answer was lost, say, and it is called again.
  expect(await beginEpoch(store, TOPIC, 0)).toEqual(begun)
  expect(await currentEpoch(store, TOPIC)).toBe(1)
  await open().land(laterAt(1), writeOffsets())
  expect(await covered(1)).toEqual([[[0, 0]], [[1, 1]]])
})

test('a writer whose log is still empty looks for the epoch each time that it failed', async () => {
  await open(1).land(recordsAt(0), writeOffsets())
  const warm = open(0)
  await expect(warm.land(recordsAt(0), () => Promise.reject(new Error('killed')))).rejects.toThrow('killed')
  await beginEpoch(store, TOPIC, 0)
  await warm.land(laterAt(0), writeOffsets())
  // Nothing but the seal: the log had been announced.
  expect(await covered(0)).toEqual([[]])
  expect(await covered(1)).toEqual([[[0, 0]]])
})

test('two at once begin the same epoch', async () => {
  for (const partition of [0, 1, 2]) await open(partition).land(recordsAt(0), writeOffsets())
  const begun = await Promise.all([beginEpoch(store, TOPIC, 0), beginEpoch(store, TOPIC, 0)])
  expect(begun.map(({ epoch }) => epoch)).toEqual([1, 1])
  expect(await currentEpoch(store, TOPIC)).toBe(1)
})

test('interrupted after any of its calls, it is finished by running it again', async () => {
  for (let calls = 1; ; calls++) {
    store = new MemoryStore()
    for (const partition of [0, 1]) await open(partition).land(recordsAt(0), writeOffsets())
    let left = calls
    const dying = store.through(async (_call, effect) => {
      if (left-- === 0) throw new Error('killed')
      return effect()
    })
    const isDone = await beginEpoch(dying, TOPIC, 0).then(
      () => true,
      () => false,
    )
    if (isDone) return
    // Meanwhile a writer either lands in the old epoch or is told to come back.
    const meanwhile = await open()
      .land(recordsAt(1), writeOffsets())
      .catch((error: unknown) => (error as InletError).code)
    expect([{ known: 0, contents: [expect.anything()] }, 'EPOCH_ENDED']).toContainEqual(meanwhile)
    expect(await beginEpoch(store, TOPIC, 0)).toMatchObject({ epoch: 1, sealed: [{ partition: 0 }, { partition: 1 }] })
  }
})
