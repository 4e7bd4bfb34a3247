import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { defineTrigger, type TriggerOptions } from '#shared/pipeline/trigger.ts'
import type { EventFile } from '#shared/runtimes/event-file.ts'
import { type LocalRunOptions, runLocally } from '#shared/runtimes/local.ts'
import { readValueFile } from '#shared/sources/value-file.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { originsIn } from '#test/helpers/sensor-records.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'

function valuesFile(lines: readonly string[], partitions = 2): EventFile {
  const values = readValueFile(Buffer.from(lines.join('\n')), partitions)
  return { kind: 'values', name: 'values.ndjson', records: lines.length, values }
}

const declared = (trigger: TriggerOptions): Pipeline => ({ ...sensors, trigger: defineTrigger(trigger) })
const lines = Array.from({ length: 9 }, (_, i) => reading(i + 1))

/** A store whose first puts fail. */
class FailingStore extends MemoryStore {
  failures: number

  constructor(failures: number) {
    super()
    this.failures = failures
  }

  override async put(key: string, body: Uint8Array): Promise<void> {
    if (this.failures-- > 0) throw new InletError('STORE_UNAVAILABLE', 'slow down')
    await super.put(key, body)
  }
}

function prepare(store = new MemoryStore()) {
  const slices: string[] = []
  let filtered = 0
  const onSlice = ({ partition, firstOffset, lastOffset, error }: SliceReport): void => {
    slices.push(`${partition}@${firstOffset}…${lastOffset}${error === null ? '' : ` ${error.code}`}`)
  }
  const options: LocalRunOptions = {
    lake: new ObjectStoreLake(store),
    concurrency: 1,
    batchSize: undefined,
    retries: 0,
    onSlice,
    onFiltered: (records) => (filtered += records),
  }
  return { store, slices, options, filtered: () => filtered }
}

test("values are delivered in batches of the trigger's size, or of another", async () => {
  const { slices, options } = prepare()
  await runLocally(declared({ batchSize: 4 }), [valuesFile(lines)], options)
  expect(slices).toEqual(['0@0…3', '1@0…3', '0@4…4'])
  slices.length = 0
  await runLocally(declared({ batchSize: 4 }), [valuesFile(lines)], { ...options, batchSize: 7 })
  expect(slices).toEqual(['0@0…4', '1@0…1', '1@2…3'])
})

test('the window, the starting position and the age of the records mean nothing to files', async () => {
  const { store, options } = prepare()
  const pipeline = declared({
    mode: 'provisioned',
    batchingWindowSeconds: 300,
    startingPosition: 'LATEST',
    maximumRecordAgeSeconds: 60,
  })
  await runLocally(pipeline, [valuesFile(lines)], options)
  expect(await originsIn(store, 'sensors')).toHaveLength(9)
})

test('filters hold records back, and they are counted', async () => {
  const { store, options, filtered } = prepare()
  const pipeline = declared({ filters: [{ value: { value: [{ numeric: ['>', 6] }] } }] })
  await runLocally(pipeline, [valuesFile(lines)], options)
  expect([filtered(), await originsIn(store, 'sensors')]).toEqual([6, ['0@3.0', '0@4.0', '1@3.0']])
})

test('MSK events are delivered as they are, one after another', async () => {
  const { slices, options } = prepare()
  const events = [sensorEvent([reading(1), reading(2)]), sensorEvent([reading(3)], 1)]
  const file: EventFile = { kind: 'events', name: 'events.json', records: 3, events }
  await runLocally(declared({ batchSize: 1, filters: [{ value: { value: [1] } }] }), [file], options)
  expect(slices).toEqual(['0@0…1', '1@0…0'])
})

describe.each<[string, EventFile]>([
  ['values', valuesFile([reading(1)], 1)],
  ['an MSK event', { kind: 'events', name: 'e.json', records: 1, events: [sensorEvent([reading(1)])] }],
])('a batch of %s that fails', (_, file) => {
  test('ends the run with its error, and nothing behind it is delivered', async () => {
    const { slices, options } = prepare(new FailingStore(1))
    const pipeline = declared({ mode: 'provisioned', bisectBatchOnError: true, maximumRetryAttempts: 5 })
    await expect(runLocally(pipeline, [file, file], options)).rejects.toThrow(
      '1 of 1 slices have to be delivered again. sensors-0@0…0: STORE_UNAVAILABLE (store): slow down',
    )
    expect(slices).toEqual(['0@0…0 STORE_UNAVAILABLE'])
  })

  test('is delivered again as often as is asked for', async () => {
    const { store, slices, options } = prepare(new FailingStore(1))
    await runLocally(sensors, [file], { ...options, retries: 1 })
    expect(slices).toEqual(['0@0…0 STORE_UNAVAILABLE', '0@0…0'])
    expect(await originsIn(store, 'sensors')).toEqual(['0@0.0'])
  })
})

test('a record that Lambda could not deliver ends the run', async () => {
  const { store, options } = prepare()
  const tooLarge = JSON.stringify({ note: 'x'.repeat(4_500_000) })
  await expect(runLocally(sensors, [valuesFile([lines[0] ?? '', tooLarge], 1)], options)).rejects.toThrow(
    "sensors-0@1 cannot be delivered: alone it is above the 6 MB of an invocation's payload",
  )
  expect(await originsIn(store, 'sensors')).toEqual(['0@0.0'])
})
