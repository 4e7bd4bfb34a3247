import { rm } from 'node:fs/promises'
import { flights } from '#functions/flights/pipeline.ts'
import { CommitLog } from '#shared/lake/commit-log.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { ByteGate } from '#shared/lake/verify/byte-gate.ts'
import { asInletError, InletError } from '#shared/pipeline/errors.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { scoredRecords } from '#shared/pipeline/score-rows.ts'
import { ScratchFolder } from '#shared/runtimes/container-scratch.ts'
import { OpenSlice } from '#shared/runtimes/container-slice.ts'
import { flightValues } from '#test/helpers/flights-topic.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { away, MemoryScorer, scoredSensors } from '#test/helpers/scored-sensors.ts'
import { reading } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const ID = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights', epoch: 0, partition: 0 }
const directory = temporaryDirectory()

/** Flights of two days, every fiftieth of which is broken. */
async function records(): Promise<KafkaRecord[]> {
  const values = await flightValues()
  return Array.from({ length: 600 }, (_, i) => {
    const value = i % 50 === 49 ? Buffer.from('{') : (values[i * 3] as Buffer)
    return kafkaRecord(value, { offset: 10 + i })
  })
}

async function opened(store = new MemoryStore()) {
  const scratch = await ScratchFolder.make(directory())
  const log = new CommitLog(store, ID)
  const surroundings = { flow: compileFlow(flights), scratch, gate: new ByteGate(1 << 20) }
  return { store, log, scratch, slice: await OpenSlice.open(log, 0, surroundings, 5) }
}

test('whatever is spilled on the way, a slice lands as one commit of all its records, and leaves nothing behind', async () => {
  const { store, slice, scratch } = await opened()
  const all = await records()
  for (let i = 0; i < all.length; i += 60) {
    slice.add(all.slice(i, i + 60))
    if (i % 120 === 0) for (const partition of slice.held) await slice.spill(partition)
  }
  expect(scratch.bytes).toBeGreaterThan(0)
  expect(slice.largestFile).toBeGreaterThan(0)
  const commit = await slice.land()
  await slice.drop()
  expect(commit).toMatchObject({ start: 0, end: 609, covered: [[10, 609]] })
  expect(commit?.counts).toEqual({ records: 600, written: 588, skipped: 0, rejected: 12, rows: 588 })
  expect(scratch.bytes).toBe(0)
  expect(await verifyLake(store, { deep: true })).toMatchObject({ faults: [], orphans: [] })
})

test('the commit of a slice counts the scores of all its chunks', async () => {
  const store = new MemoryStore()
  const flow = compileFlow(scoredSensors())
  const scratch = await ScratchFolder.make(directory())
  const surroundings = { flow, scratch, gate: new ByteGate(1 << 20) }
  const slice = await OpenSlice.open(new CommitLog(store, ID), 0, surroundings, 5)
  const scoring = {
    scorer: new MemoryScorer((value) => (value > 2 ? away() : undefined)),
    signal: new AbortController().signal,
  }
  for (const chunk of [
    [1, 2, 3],
    [4, 0, 5],
  ]) {
    const of = chunk.map((value, i) => kafkaRecord(reading(value), { offset: chunk[0] === 1 ? i : 3 + i }))
    slice.add(of, await scoredRecords(of, flow, scoring))
    for (const partition of slice.held) await slice.spill(partition)
  }
  const commit = await slice.land()
  await slice.drop()
  expect(commit?.scores).toEqual({
    risk: {
      scored: 2,
      unscored: {},
      waiting: { UNREACHABLE: 3 },
      deferred: [
        [2, 3],
        [5, 5],
      ],
    },
  })
  expect(await verifyLake(store, { deep: true })).toMatchObject({ faults: [] })
})

test('what is spilled gives its memory back, but for what the footer will say of it', async () => {
  const { slice } = await opened()
  slice.add(await records())
  const held = slice.memory
  for (const partition of slice.held) await slice.spill(partition)
  expect(slice.held).toEqual([])
  const columns = flights.table.columns.length
  expect(held).toBeGreaterThan(2 * 500 * 250)
  expect(slice.memory).toBeGreaterThanOrEqual(columns * 1000)
})

test('a store that fails is asked again, for what is missing only', async () => {
  class Failing extends MemoryStore {
    puts: string[] = []
    failing = true
    override async put(key: string, body: Uint8Array): Promise<void> {
      this.puts.push(key)
      if (this.failing && this.puts.length > 2) throw new InletError('STORE_UNAVAILABLE', 'down')
      await super.put(key, body)
    }
  }
  const store = new Failing()
  const { slice } = await opened(store)
  slice.add(await records())
  // The announcement of the log is a put too. A file that is put again has another number.
  const folders = (keys: readonly string[]): string[] => keys.map((key) => key.slice(0, key.lastIndexOf('/'))).sort()
  const failure = await slice.land().catch((error: unknown) => asInletError(error, 'landing'))
  expect(failure).toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'down' })
  const failed = folders(store.puts.slice(2))
  store.puts = []
  store.failing = false
  expect(await slice.land()).toMatchObject({ end: 609 })
  expect(folders(store.puts)).toEqual(failed)
  expect(failed.length).toBeGreaterThan(1)
  expect(await verifyLake(store, { deep: true })).toMatchObject({ faults: [], orphans: [] })
})

test('rows that are lost on their way to the disk break the slice: it must not land without them', async () => {
  const { slice, scratch } = await opened()
  slice.add(await records())
  await rm(scratch.path, { recursive: true })
  await expect(slice.spill(slice.held[0] as never)).rejects.toThrow('ENOENT')
  expect(slice.isBroken).toBe(true)
})

test('a slice that another writer has overtaken has no commit', async () => {
  const { store, slice } = await opened()
  const { slice: other } = await opened(store)
  const all = await records()
  slice.add(all)
  other.add(all.slice(0, 100))
  expect(await other.land()).toMatchObject({ end: 109 })
  expect(await slice.land()).toBeUndefined()
  expect(await verifyLake(store, { deep: true })).toMatchObject({ faults: [], counts: { records: 100 } })
})
