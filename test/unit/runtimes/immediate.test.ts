import process from 'node:process'
import type { Context } from 'aws-lambda'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { currentSnapshot } from '#shared/lake/iceberg/table-metadata.ts'
import { applyTables } from '#shared/lake/pipeline-tables.ts'
import { immediateHandler } from '#shared/runtimes/immediate.ts'
import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const pipeline = { ...locked(sensors), commit: 'immediate' as const }
const context = { functionName: 'sensors', awsRequestId: '1', getRemainingTimeInMillis: () => 60_000 } as Context

const before = process.env
beforeEach(() => {
  process.env = { ...before, LAKE_URL: `file:${directory()}`, POWERTOOLS_LOG_LEVEL: 'SILENT' }
})
afterEach(() => {
  process.env = before
})

test('what an event has landed is in the table when the function answers', async () => {
  const store = new DirectoryStore(directory())
  const tables = openCatalog('directory', store)
  await applyTables({ store, tables, now: Date.now }, pipeline)
  const handler = immediateHandler(pipeline)
  for (const [offset, rows] of [
    [0, 2],
    [2, 4],
  ] as const) {
    await handler(sensorEvent([reading(1), reading(2)], 0, offset), context)
    const table = await tables.catalog.load('sensors')
    expect(table && currentSnapshot(table.metadata)?.summary['total-records']).toBe(String(rows))
  }
})

test('a handler without catalogs is not for it', () => {
  expect(() => lambdaHandler(pipeline)).toThrow('its handler is immediateHandler')
})
