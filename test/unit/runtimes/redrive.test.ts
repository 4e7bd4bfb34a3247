import type { Context } from 'aws-lambda'
import { committedFiles } from '#shared/lake/committed-files.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { type RedriveAnswer, redriveHandler } from '#shared/runtimes/redrive.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { mended, openIn, timeless } from '#test/helpers/mending-sensors.ts'
import { originsIn } from '#test/helpers/sensor-records.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

let lake: MemoryStore
let waiting: MemoryStore
let reports: SliceReport[]
let failures: unknown[]

beforeEach(async () => {
  lake = new MemoryStore()
  waiting = Object.assign(new MemoryStore(), { url: 's3://failed/' })
  reports = []
  failures = []
  await deliver(lake, sensors, sensorEvent([reading(1), reading(666), timeless(2), '{']))
})

function invoke(event: unknown, remaining = 60_000): Promise<RedriveAnswer> {
  const telemetry = {
    begin() {},
    slice: (report: SliceReport) => void reports.push(report),
    failure: (error: unknown) => void failures.push(error),
    end() {},
  }
  const openStore = (url: string): ObjectStore => {
    expect(url).toBe('s3://failed')
    return waiting
  }
  const handler = redriveHandler([{ ...mended, name: 'others' }, mended], {
    lake,
    openStore,
    telemetry,
    concurrency: 2,
  })
  return handler(event, { getRemainingTimeInMillis: () => remaining } as Context)
}

const COUNTS = { found: 3, written: 2, rows: 2, skipped: 0, rejected: 1, resolved: 0, failed: 0 }
const NOTHING_LEFT = { failures: [], left: { foreign: 0, unreadable: 0, failed: 0 }, leftObjects: [] }

test('dead letters of the pipeline come back, and the answer counts what became of them', async () => {
  expect(await invoke({ pipeline: 'sensors' })).toEqual({
    pipeline: 'sensors',
    dryRun: false,
    done: true,
    next: null,
    codes: {},
    ...COUNTS,
    ...NOTHING_LEFT,
  })
  expect(reports).toMatchObject([{ topic: 'sensors', partition: 0, records: 3, written: 2, error: null }])
  expect(await openIn(lake)).toEqual(['0/0@3'])
})

test.each([
  [{ code: 'TRANSFORM_THREW' }, 1],
  [{ code: 'EVENT_INVALID', field: 'at', topic: 'sensors', partition: 0 }, 1],
  [{ from: 2 }, 2],
  [{ to: 1 }, 1],
  [{ topic: 'orders' }, 0],
  [{ partition: 1 }, 0],
  [{ field: 'value' }, 0],
])('where %j', async (where, found) => {
  expect(await invoke({ pipeline: 'sensors', where })).toMatchObject({ done: true, found })
})

test('a dry run counts, says why, logs nothing and writes nothing', async () => {
  const before = await keysOf(lake, '')
  expect(await invoke({ pipeline: 'sensors', dryRun: true })).toMatchObject({ ...COUNTS, codes: { JSON_INVALID: 1 } })
  expect([await keysOf(lake, ''), reports]).toEqual([before, []])
})

test('without time it begins nothing; called again with what it answered it is done at last', async () => {
  await deliver(lake, sensors, sensorEvent([timeless(1)], 0, 4))
  const first = await invoke({ pipeline: 'sensors' }, 900)
  expect(first).toMatchObject({ done: false, found: 0, next: { commit: 4, log: expect.stringMatching(/\/e0\/p0\/$/) } })
  const second = await invoke({ pipeline: 'sensors', next: first.next })
  expect(second).toMatchObject({ done: true, next: null, found: 4 })
  // From the older commit on.
  await deliver(lake, sensors, sensorEvent([timeless(1)], 0, 5))
  expect(await invoke({ pipeline: 'sensors', next: { ...first.next, commit: 0 } })).toMatchObject({ found: 1 })
})

test('landings that fail are counted and told; the others land', async () => {
  const [file] = (await committedFiles(lake)).get('sensors_dead_letters') ?? []
  await lake.delete(file?.path ?? '')
  await deliver(lake, sensors, sensorEvent([timeless(1)], 0, 4))
  expect(await invoke({ pipeline: 'sensors' })).toMatchObject({
    done: true,
    found: 4,
    written: 1,
    failed: 3,
    failures: [
      {
        topic: 'sensors',
        partition: 0,
        firstOffset: 1,
        lastOffset: 3,
        records: 3,
        code: 'LOG_CORRUPT',
        message: expect.stringContaining('is missing'),
      },
    ],
  })
})

test('batches of a failure destination', async () => {
  for (const [event, name] of [
    [sensorEvent([timeless(3), '['], 0, 4), 'inlet-dev-sensors'],
    [sensorEvent([reading(1)]), 'inlet-dev-sensors'],
    [sensorEvent([timeless(3)], 0, 9), 'inlet-dev-others'],
  ] as const) {
    const { key, body } = failedBatch(event, name)
    await waiting.put(key, Buffer.from(body))
  }
  await waiting.put('x', Buffer.from('y'))
  const answer = await invoke({ pipeline: 'sensors', failureDestination: 's3://failed' })
  expect(answer).toMatchObject({
    done: true,
    next: null,
    found: 3,
    written: 1,
    rejected: 1,
    resolved: 1,
    left: { foreign: 1, unreadable: 1, failed: 0 },
    leftObjects: [{ key: 'x', because: 'unreadable' }],
  })
  expect(await keysOf(waiting, '')).toHaveLength(2)
  expect(await originsIn(lake, 'sensors')).toEqual(['0@0.0', '0@4.0'])
  // Another function's, once it is named.
  const named = { pipeline: 'sensors', failureDestination: 's3://failed', function: 'inlet-dev-others', epoch: 0 }
  expect(await invoke(named)).toMatchObject({ written: 1, left: { foreign: 0 } })
  expect((await verifyLake(lake, { deep: true })).faults).toEqual([])
})

test('a request that cannot be met is an error of the function, and logged', async () => {
  await expect(invoke({ pipeline: 'flights' })).rejects.toThrow(
    'this function has no pipeline "flights"; there are: others, sensors',
  )
  const next = { log: 'log/others/g0/c/sensors/e0/p0/', commit: 0 }
  await expect(invoke({ pipeline: 'sensors', next })).rejects.toThrow('is no log of sensors, generation 0')
  await expect(invoke({ pipeline: 'sensors', wher: {} })).rejects.toThrow('Unrecognized key: "wher"')
  expect(failures).toHaveLength(3)
})
