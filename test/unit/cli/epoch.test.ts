import { changeEpoch, epochPage } from '#shared/cli/epoch.ts'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { inGeneration } from '#shared/pipeline/generation.ts'
import { inlet } from '#test/helpers/command.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { recordsAt, writeOffsets } from '#test/helpers/slices.ts'

const CLUSTER = 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5'
let store: MemoryStore

beforeEach(async () => {
  store = new MemoryStore()
  await deliver(store, sensors, sensorEvent([reading(1), reading(2)]))
  await deliver(store, sensors, sensorEvent([reading(3)], 3))
})

test('a dry run says what would be sealed and touches nothing', async () => {
  const change = await changeEpoch(store, sensors, { end: 0, dryRun: true })
  expect(epochPage(change)).toBe(
    `Epoch 1 of sensors of ${CLUSTER} would begin; nothing was touched. These logs of epoch 0 would be sealed:

Kafka partition  last offset
───────────────  ───────────
              0            1
              3            0`,
  )
  await deliver(store, sensors, sensorEvent([reading(4)], 0, 2))
})

test('the epoch begins, and the next time there is nothing to end', async () => {
  expect(await changeEpoch(store, sensors, { end: 0 })).toMatchObject({
    topic: { pipeline: 'sensors', generation: 0, cluster: CLUSTER, topic: 'sensors' },
    epoch: 1,
    sealed: [
      { partition: 0, lastOffset: 1 },
      { partition: 3, lastOffset: 0 },
    ],
  })
  await expect(deliver(store, sensors, sensorEvent([reading(4)], 0, 2))).rejects.toMatchObject({ code: 'EPOCH_ENDED' })
  expect(epochPage(await changeEpoch(store, sensors, { end: 1, dryRun: true }))).toMatch(
    /^Epoch 1 .* nothing to end\.$/,
  )
  expect(await changeEpoch(store, sensors, { end: 0 })).toMatchObject({ epoch: 1 })
  await expect(changeEpoch(store, sensors, { end: 2 })).rejects.toThrow('has not begun: the current one is 1')
  await expect(changeEpoch(store, sensors, { end: 1 })).rejects.toMatchObject({
    code: 'EPOCH_EMPTY',
    message: 'epoch 1 of the topic sensors has no commits of sensors yet: there is nothing to end',
  })
})

test('of several clusters one has to be named', async () => {
  const other = { pipeline: 'sensors', generation: 0, cluster: 'other.1', topic: 'sensors', epoch: 0, partition: 0 }
  await new CommitLog(store, other).land(recordsAt(0), writeOffsets())
  await expect(changeEpoch(store, sensors, { end: 0 })).rejects.toThrow(`name one with --cluster: ${CLUSTER}, other.1`)
  expect(await changeEpoch(store, sensors, { end: 0, cluster: 'other.1' })).toMatchObject({
    sealed: [{ partition: 0 }],
  })
  await expect(changeEpoch(store, sensors, { end: 0, cluster: 'x' })).rejects.toThrow(
    'of the cluster x; there are demo',
  )
})

test('what the lake does not have is told', async () => {
  await expect(changeEpoch(store, inGeneration(sensors, 2), { end: 0 })).rejects.toThrow('by sensors, generation 2')
  await expect(changeEpoch(new MemoryStore(), sensors, { end: 0 })).rejects.toThrow('there is no commit log here')
})

test('the command', async () => {
  expect(await inlet(['epoch', 'flights', '--end', '0', '--lake', 'no-such-lake'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no commit log here; is it the lake you meant?'),
  })
  expect((await inlet(['epoch', '--help'])).stdout).toContain('--dry-run')
})
