import { beginEpoch } from '#shared/lake/epochs.ts'
import { dryRedriveStore } from '#shared/lake/redrive-log.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import {
  type FailedBatchesOptions,
  type LeftObject,
  ownFunctions,
  redriveFailedBatches,
} from '#shared/runtimes/failed-batches.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { openIn } from '#test/helpers/mending-sensors.ts'
import { originsIn } from '#test/helpers/sensor-records.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const flow = compileFlow(sensors)
const TOPIC = {
  pipeline: 'sensors',
  generation: 0,
  cluster: 'demo.6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
  topic: 'sensors',
}

let lake: MemoryStore
let waiting: MemoryStore

beforeEach(() => {
  lake = new MemoryStore()
  waiting = Object.assign(new MemoryStore(), { url: 's3://failed/' })
})

interface Redrive {
  readonly isDone: boolean
  readonly reports: readonly SliceReport[]
  readonly left: readonly LeftObject[]
  readonly objects: number
}

async function redrive(options: Partial<FailedBatchesOptions> = {}, target = lake): Promise<Redrive> {
  const reports: SliceReport[] = []
  const left: LeftObject[] = []
  let objects = 0
  const isDone = await redriveFailedBatches(waiting, target, flow, {
    isOwn: ownFunctions('sensors', ['sensors'], undefined),
    epoch: undefined,
    dryRun: false,
    signal: new AbortController().signal,
    concurrency: 2,
    onSlice: (report) => void reports.push(report),
    onLeft: (object) => void left.push(object),
    onObject: () => (objects += 1),
    ...options,
  })
  return { isDone, reports, left, objects }
}

const wait = async (event: unknown, functionName?: string): Promise<string> => {
  const { key, body } = failedBatch(event, functionName)
  await waiting.put(key, Buffer.from(body))
  return key
}

test('the batches land, what is in the lake already is known, and they wait no longer', async () => {
  await deliver(lake, sensors, sensorEvent([reading(1), reading(2), '{']))
  await deliver(lake, sensors, sensorEvent([reading(9)], 0, 9))
  await wait(sensorEvent([reading(2), '{', reading(4), reading(0)], 0, 1))
  await wait(sensorEvent([reading(1), '['], 1, 100))
  const { isDone, reports, left, objects } = await redrive()
  expect([isDone, left, objects]).toEqual([true, [], 2])
  // The dead letter at offset 2 was tried again, as a redrive does.
  expect(reports.toSorted((a, b) => a.partition - b.partition)).toMatchObject([
    { partition: 0, records: 4, known: 1, written: 1, skipped: 1, rejected: 1 },
    { partition: 1, records: 2, known: 0, written: 1, skipped: 0, rejected: 1 },
  ])
  expect(await keysOf(waiting, '')).toEqual([])
  expect(await originsIn(lake, 'sensors')).toEqual(['0@0.0', '0@1.0', '0@3.0', '0@9.0', '1@100.0'])
  expect(await openIn(lake)).toEqual(['0/0@2', '0/1@101'])
  expect((await verifyLake(lake, { deep: true })).faults).toEqual([])
  expect(await redrive()).toEqual({ isDone: true, reports: [], left: [], objects: 0 })
})

test('what is not of this pipeline, or no batch at all, is told and left', async () => {
  const keys = {
    function: await wait(sensorEvent([reading(1)]), 'inlet-dev-others'),
    topic: await wait(JSON.parse(JSON.stringify(sensorEvent([reading(1)])).replaceAll('"sensors', '"orders'))),
    event: await wait({ ...(sensorEvent([]) as object), records: { 'sensors-0': [{ topic: 'sensors' }] } }),
  }
  await waiting.put('notes.txt', Buffer.from('to do'))
  await waiting.put('large.json', new Uint8Array(16_000_001))
  await wait(sensorEvent([reading(1)]))
  const { reports, left } = await redrive()
  expect(reports).toMatchObject([{ records: 1, written: 1 }])
  expect(Object.fromEntries(left.map(({ key, because, reason }) => [key, `${because}: ${reason}`]))).toEqual({
    [keys.function]: 'foreign: a batch of another function, inlet-dev-others',
    [keys.topic]: 'foreign: a batch of the topic "orders"; sensors reads "sensors"',
    [keys.event]: expect.stringMatching(/^unreadable: not an MSK event: records\["sensors-0"\]\[0\]\.partition/),
    'notes.txt': 'unreadable: not a failure record: the record is not JSON',
    'large.json': 'unreadable: it has 16000001 bytes, more than any batch that Lambda gives up',
  })
  expect(await keysOf(waiting, '')).toEqual([...Object.values(keys), 'large.json', 'notes.txt'].sort())
})

test('a batch that another redrive has just landed is no fault', async () => {
  await wait(sensorEvent([reading(1)]))
  const gone = waiting.through(async ({ operation }, effect) => (operation === 'get' ? (undefined as never) : effect()))
  waiting = Object.assign(gone, { url: waiting.url })
  expect(await redrive()).toEqual({ isDone: true, reports: [], left: [], objects: 1 })
})

test('a batch of which not all is durable stays, and lands the next time', async () => {
  const both = sensorEvent([reading(1)], 0) as { records: Record<string, unknown> }
  const other = sensorEvent([reading(2)], 1) as typeof both
  const key = await wait({ ...both, records: { ...both.records, ...other.records } })
  // Partition 1 has another record at its offset 0.
  await deliver(lake, sensors, sensorEvent([reading(3)], 1))
  const { isDone, reports, left } = await redrive()
  expect([isDone, reports.map(({ partition, error }) => [partition, error?.code])]).toEqual([
    true,
    [
      [0, undefined],
      [1, 'OFFSETS_RESTARTED'],
    ],
  ])
  expect(left).toMatchObject([
    { key, because: 'failed', reason: expect.stringContaining('sensors-1@0 is not the record') },
  ])
  expect(await keysOf(waiting, '')).toEqual([key])
  expect(await originsIn(lake, 'sensors')).toEqual(['0@0.0', '1@0.0'])
})

test('stopped anywhere by a store that fails, it ends with every record once', async () => {
  for (const offset of [0, 2, 4]) await wait(sensorEvent([reading(1), '{'], 0, offset))
  for (let calls = 0; (await keysOf(waiting, '')).length > 0; calls += 3) {
    let left = calls
    const failing = <T>(_: unknown, effect: () => T): Promise<T> =>
      left-- > 0 ? Promise.resolve(effect()) : Promise.reject(new Error('the process was killed'))
    const dying = Object.assign(waiting.through(failing), { url: waiting.url })
    await redriveFailedBatches(dying, lake.through(failing), flow, {
      isOwn: () => true,
      epoch: undefined,
      dryRun: false,
      signal: new AbortController().signal,
      concurrency: 2,
      onSlice() {},
      onLeft() {},
    }).catch(() => false)
    expect(calls).toBeLessThan(300)
  }
  expect(await originsIn(lake, 'sensors')).toEqual(['0@0.0', '0@2.0', '0@4.0'])
  expect(await openIn(lake)).toEqual(['0/0@1', '0/0@3', '0/0@5'])
  expect((await verifyLake(lake, { deep: true })).faults).toEqual([])
})

test('too little time: nothing is begun, nothing is deleted, and it says so', async () => {
  await waiting.put('a', Buffer.from('no batch'))
  await wait(sensorEvent([reading(1)]))
  expect(await redrive({ signal: AbortSignal.abort() })).toEqual({ isDone: false, reports: [], left: [], objects: 0 })
  const stop = new AbortController()
  const slow = lake.through(async (_, effect) => {
    stop.abort()
    return effect()
  })
  expect(await redrive({ signal: stop.signal }, slow)).toMatchObject({ isDone: false, reports: [] })
  expect(await keysOf(waiting, '')).toHaveLength(2)
})

test('a dry run knows what is in the lake already, and neither writes nor deletes', async () => {
  await deliver(lake, sensors, sensorEvent([reading(1), reading(2)]))
  await wait(sensorEvent([reading(2), reading(3), '{'], 0, 1))
  const before = await keysOf(lake, '')
  const codes = new Map<string, number>()
  const { reports } = await redrive({ dryRun: true }, dryRedriveStore(lake, flow, codes) as MemoryStore)
  expect(reports).toMatchObject([{ records: 3, known: 1, written: 1, rejected: 1 }])
  expect([...codes]).toEqual([['JSON_INVALID', 1]])
  expect(await keysOf(lake, '')).toEqual(before)
  expect(await keysOf(waiting, '')).toHaveLength(1)
})

describe('once the topic has had several epochs', () => {
  beforeEach(async () => {
    await deliver(lake, sensors, sensorEvent([reading(1), reading(2)]))
    await wait(sensorEvent([reading(3)], 0, 2))
    await beginEpoch(lake, TOPIC, 0)
  })

  test('it must be said which one the batches are of', async () => {
    await expect(redrive()).rejects.toThrow(/the topic sensors of demo\.6357.* is in epoch 1, .*: say it, 0 to 1/)
    await expect(redrive({ epoch: 2 })).rejects.toThrow(/has no epoch 2: the current one is 1/)
    expect(await keysOf(waiting, '')).toHaveLength(1)
  })

  test.each([0, 1])('they land in epoch %d', async (epoch) => {
    expect(await redrive({ epoch })).toMatchObject({ isDone: true, reports: [{ written: 1, error: null }] })
    expect(await keysOf(waiting, '')).toEqual([])
    const keys = (await keysOf(lake, 'log/')).filter((key) => key.includes(`/e${epoch}/`))
    expect(keys.some((key) => key.includes('/amendments/'))).toBe(epoch === 0)
    expect((await verifyLake(lake, { deep: true })).faults).toEqual([])
  })
})

test.each([
  ['s3://lake/', 's3://lake'],
  ['s3://lake/a', 's3://lake/'],
  ['file:///lakes/one', 'file:///lakes/one'],
])('the lake %s does not wait in %s', async (url, destination) => {
  const isLake = Object.assign(new MemoryStore(), { url })
  await wait(sensorEvent([reading(1)]))
  waiting = Object.assign(
    waiting.through(async (_, effect) => effect()),
    { url: destination },
  )
  await expect(redrive({}, isLake)).rejects.toThrow('holds the lake itself')
})

test.each([
  ['inlet-dev-flights', true],
  ['flights', true],
  ['inlet-dev-raw-flights', false],
  ['inlet-dev-flights-raw', false],
  ['inlet-dev-myflights', false],
])('the function %s: flights? %s', (name, expected) => {
  expect(ownFunctions('flights', ['flights', 'raw-flights', 'raw'], undefined)(name)).toBe(expected)
})

test('a function may be named', () => {
  const isOwn = ownFunctions('flights', ['flights'], 'landing')
  expect([isOwn('landing'), isOwn('inlet-dev-flights')]).toEqual([true, false])
})
