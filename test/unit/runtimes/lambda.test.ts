import type { Context } from 'aws-lambda'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { defineTrigger } from '#shared/pipeline/trigger.ts'
import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()

function context(remaining = 60_000): Context {
  return { functionName: 'sensors', awsRequestId: '1', getRemainingTimeInMillis: () => remaining } as Context
}

function prepare(store: ObjectStore, pipeline = sensors, commitTables?: () => Promise<void>) {
  const reports: SliceReport[] = []
  const failures: unknown[] = []
  let ended = 0
  const telemetry = {
    begin() {},
    slice: (report: SliceReport) => void reports.push(report),
    failure: (error: unknown) => void failures.push(error),
    end: () => void (ended += 1),
  }
  const handler = lambdaHandler(pipeline, {
    lake: new ObjectStoreLake(store),
    telemetry,
    concurrency: 4,
    ...(commitTables && { commitTables }),
  })
  return { handler, reports, failures, ended: () => ended }
}

test('every record ends in exactly one place, and a second delivery adds nothing', async () => {
  const store = new DirectoryStore(directory())
  const { handler, reports, ended } = prepare(store)
  const event = sensorEvent([reading(1), reading(0), '{', reading(-2), null, reading(666)])

  await handler(event, context())
  await handler(event, context())

  expect(reports).toMatchObject([
    { records: 6, known: 0, commits: ['commit 0'], written: 2, skipped: 2, rejected: 2, rows: 3, error: null },
    { records: 6, known: 6, commits: [], written: 0, skipped: 0, rejected: 0, rows: 0, files: 0, error: null },
  ])
  expect(ended()).toBe(2)
  expect(await verifyLake(store, { deep: true })).toMatchObject({ commits: 1, faults: [], orphans: [] })
})

test('what a schema registry has decoded is JSON in base64, with the schema told beside it', async () => {
  const event = sensorEvent([reading(1)]) as { records: Record<string, object[]> }
  for (const [group, records] of Object.entries(event.records))
    event.records[group] = records.map((record) => ({
      ...record,
      keySchemaMetadata: { schemaId: '1', dataFormat: 'AVRO' },
      valueSchemaMetadata: { schemaId: '2', dataFormat: 'PROTOBUF' },
    }))
  const { handler, reports } = prepare(new DirectoryStore(directory()))
  await handler(event, context())
  expect(reports).toMatchObject([{ records: 1, written: 1, rejected: 0 }])
})

test('a report names the commits that a slice became, and the amendments', async () => {
  const { handler, reports } = prepare(new DirectoryStore(directory()))
  await handler(sensorEvent([reading(1)], 0, 5), context())
  await handler(sensorEvent([reading(2), reading(3), reading(1), reading(4)], 0, 3), context())
  expect(reports.map(({ commits }) => commits)).toEqual([['commit 0'], ['amendment 0 of commit 0', 'commit 6']])
})

test('an event of another topic is refused: the trigger is wired to the wrong function', async () => {
  const { handler, failures } = prepare(new DirectoryStore(directory()))
  const event = JSON.parse(JSON.stringify(sensorEvent([reading(1)])).replaceAll('"sensors', '"orders')) as unknown
  await expect(handler(event, context())).rejects.toThrow('reads the topic "sensors", but the event is of "orders"')
  expect(failures).toHaveLength(1)
})

test('too little time left: nothing is begun, and the batch is delivered again', async () => {
  const store = new DirectoryStore(directory())
  const { handler, reports } = prepare(store)
  await expect(handler(sensorEvent([reading(1)]), context(1000))).rejects.toThrow(/DEADLINE_NEAR/)
  expect(reports).toMatchObject([{ error: { code: 'DEADLINE_NEAR', canRetry: true } }])
  expect(await verifyLake(store, { deep: false })).toMatchObject({ commits: 0, files: 0, orphans: [] })
})

test('a fault of the store fails the batch, after every write that began has settled', async () => {
  const store = new DirectoryStore(directory())
  let writing = 0
  let writes = 0
  const faulty: ObjectStore = Object.assign(Object.create(store) as ObjectStore, {
    url: store.url,
    async put(key: string, body: Uint8Array): Promise<void> {
      if (!key.startsWith('tables/')) return store.put(key, body)
      writes += 1
      if (writes === 1) throw new InletError('STORE_UNAVAILABLE', 'slow down')
      writing += 1
      await new Promise((resolve) => setTimeout(resolve, 20))
      await store.put(key, body)
      writing -= 1
    },
    putIfAbsent: (key: string, body: Uint8Array) => store.putIfAbsent(key, body),
    get: (key: string) => store.get(key),
    list: (prefix: string, options?: object) => store.list(prefix, options),
  })
  const { handler, reports } = prepare(faulty)
  const days = ['2026-01-01', '2026-01-02', '2026-01-03']
  const event = sensorEvent(days.map((day) => reading(1, day)))

  await expect(handler(event, context())).rejects.toThrow(/STORE_UNAVAILABLE/)
  expect({ writing, writes }).toEqual({ writing: 0, writes: 3 })
  expect(reports).toMatchObject([{ error: { code: 'STORE_UNAVAILABLE' }, files: 0 }])

  await handler(event, context())
  expect(reports[1]).toMatchObject({ known: 0, written: 3, error: null })
  expect((await verifyLake(store, { deep: true })).faults).toEqual([])
})

test('one slice that fails does not keep its neighbours from landing', async () => {
  const store = new DirectoryStore(directory())
  const { handler, reports } = prepare(store)
  await handler(sensorEvent([reading(1)], 0), context())
  const mixed = sensorEvent([reading(2)], 1) as { records: Record<string, unknown> }
  // Offset 0 of partition 0 again, but another record: the topic was re-created.
  const other = sensorEvent([reading(9)], 0) as typeof mixed
  const event = { ...mixed, records: { ...mixed.records, ...other.records } }
  await expect(handler(event, context())).rejects.toThrow(/OFFSETS_RESTARTED/)
  expect(reports.slice(1).map(({ partition, written, error }) => [partition, written, error?.code])).toEqual([
    [1, 1, undefined],
    [0, 0, 'OFFSETS_RESTARTED'],
  ])
})

test('where the trigger takes partial responses, the records of the slice that failed are named, and nothing is thrown', async () => {
  const trigger = defineTrigger({ mode: 'provisioned' })
  const store = new DirectoryStore(directory())
  const { handler, failures } = prepare(store, { ...sensors, trigger })
  expect(await handler(sensorEvent([reading(1)], 0), context())).toEqual({ batchItemFailures: [] })
  const mixed = sensorEvent([reading(2)], 1) as { records: Record<string, unknown> }
  const other = sensorEvent([reading(9), reading(3)], 0) as typeof mixed
  const event = { ...mixed, records: { ...mixed.records, ...other.records } }
  expect(await handler(event, context())).toEqual({
    batchItemFailures: [0, 1].map((offset) => ({ itemIdentifier: { partition: 'sensors-0', offset } })),
  })
  expect(failures).toEqual([])
  // What is not an event of this pipeline at all fails the whole batch, whatever the trigger takes.
  await expect(handler({}, context())).rejects.toThrow('not an MSK event')
})

test('a pipeline that asks for it commits to its tables after each batch; a fault there fails no batch', async () => {
  let commits = 0
  const full = new InletError('TABLE_CONTENDED', 'another was first')
  const commit = (): Promise<void> => (++commits === 2 ? Promise.reject(full) : Promise.resolve())
  const store = new DirectoryStore(directory())
  const immediate = prepare(store, { ...sensors, commit: 'immediate' }, commit)
  expect(await immediate.handler(sensorEvent([reading(1)]), context())).toBeUndefined()
  expect(await immediate.handler(sensorEvent([reading(2)], 0, 1), context())).toBeUndefined()
  expect(commits).toBe(2)
  expect(immediate.failures).toEqual([full])
  await prepare(store, sensors, commit).handler(sensorEvent([reading(3)], 0, 2), context())
  expect(commits).toBe(2)
})
