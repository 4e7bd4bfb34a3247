import process from 'node:process'
import type { Context } from 'aws-lambda'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { currentSnapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { applyTables } from '#shared/lake/pipeline-tables.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import type { Scorer } from '#shared/pipeline/scorer.ts'
import { immediateHandler } from '#shared/runtimes/immediate.ts'
import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { scoringHandler, scoringIn } from '#shared/runtimes/scoring.ts'
import { EndpointServer } from '#test/helpers/endpoint-server.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const pipeline = scoredSensors()
const context = (remaining = 60_000): Context =>
  ({ functionName: 'sensors', awsRequestId: '1', getRemainingTimeInMillis: () => remaining }) as Context

let server: EndpointServer
const before = process.env
beforeEach(async () => {
  server = await EndpointServer.start((rows) => rows.map((row) => String(Number(row) / 8)))
  process.env = {
    ...before,
    LAKE_URL: `file:${directory()}`,
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: server.endpoint,
  }
})
afterEach(async () => {
  process.env = before
  await server.stop()
})

async function risks(): Promise<unknown[]> {
  const store = new DirectoryStore(directory())
  const files = (await committedFiles(store)).get('sensors') ?? []
  const rows = await Promise.all(files.map(async ({ path }) => readParquet((await store.get(path)) as Uint8Array)))
  return rows.flat().map((row) => [row['risk'], row['model'], row['why']])
}

test('the deployed function asks the endpoint that its environment says, and counts what came of it', async () => {
  const told: string[] = []
  const { stdout } = process
  const write = stdout.write.bind(stdout)
  stdout.write = (chunk: unknown) => told.push(String(chunk)) > 0
  try {
    await scoringHandler(pipeline)(sensorEvent([reading(1), reading(-2)]), context())
  } finally {
    stdout.write = write
  }
  expect(await risks()).toEqual([
    [0.125, 'v1', null],
    [-0.25, 'v1', null],
    [0.25, 'v1', null],
  ])
  const metrics = told
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find((line) => 'scored' in line)
  expect(metrics).toMatchObject({ scored: 3, unscored: 0, waiting: 0, 'breaker open': 0, 'score throttles': 0 })
  expect(metrics?.['score latency']).toBeGreaterThan(0)
})

test('a handler without the client is not for it', () => {
  expect(() => lambdaHandler(pipeline)).toThrow('its handler is scoringHandler')
})

test('one that commits after each batch has a handler with both', async () => {
  const immediate = { ...locked(pipeline), commit: 'immediate' as const }
  expect(() => scoringHandler(immediate)).toThrow('its handler is immediateHandler')
  expect(() => immediateHandler(immediate)).toThrow('its handler is immediateHandler(sensors, scoringIn)')
  const store = new DirectoryStore(directory())
  const tables = openCatalog('directory', store)
  await applyTables({ store, tables, now: Date.now }, immediate)
  await immediateHandler(immediate, scoringIn)(sensorEvent([reading(1)]), context())
  expect(await risks()).toEqual([[0.125, 'v1', null]])
  const table = await tables.catalog.load('sensors')
  expect(table && currentSnapshot(table.metadata)?.summary['total-records']).toBe('1')
})

test('scoring ends when half of the time is over, and the slice lands', async () => {
  const reports: SliceReport[] = []
  const scorer: Scorer = {
    score: async (_score, features, signal) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      return features.map(() => ({ kind: 'unavailable', reason: 'NO_TIME' }))
    },
  }
  const telemetry = { begin() {}, slice: (report: SliceReport) => void reports.push(report), failure() {}, end() {} }
  const given = { lake: new ObjectStoreLake(new MemoryStore()), telemetry, concurrency: 1, scorer }
  await lambdaHandler(pipeline, given)(sensorEvent([reading(1)]), context(1200))
  expect(reports).toMatchObject([{ error: null, rows: 1, scores: { scored: 0, unscored: 0, waiting: 1 } }])
})
