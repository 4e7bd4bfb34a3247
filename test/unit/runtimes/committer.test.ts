import type { Context } from 'aws-lambda'
import type { TableCommit } from '#shared/lake/committer.ts'
import type { FilesRegistration } from '#shared/lake/files-registration.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { applyTables } from '#shared/lake/pipeline-tables.ts'
import { committerHandler } from '#shared/runtimes/committer.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { glueAnswering, GlueRefusal } from '#test/helpers/glue-answers.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { reading, sensorEvent, sensors as declared } from '#test/helpers/sensors.ts'

const sensors = locked(declared)
const plain = { ...declared, name: 'plain' }
const context = (remaining = 60_000): Context => ({ getRemainingTimeInMillis: () => remaining }) as Context

function prepare(store: MemoryStore) {
  const registrations: FilesRegistration[] = []
  const [commits, failures, ends]: [TableCommit[], [string, unknown][], number[]] = [[], [], []]
  const telemetry = {
    begin() {},
    commit: (commit: TableCommit) => void commits.push(commit),
    registration: (registration: FilesRegistration) => void registrations.push(registration),
    failure: (pipeline: string, error: unknown) => void failures.push([pipeline, error]),
    end: () => void ends.push(1),
  }
  const surroundings = { store, tables: openCatalog('directory', store), now: Date.now, filesDatabase: null }
  return { surroundings, telemetry, commits, registrations, failures, ends }
}

test('both tables of a pipeline take what the log holds, and tables of plain files are left alone', async () => {
  const store = new MemoryStore()
  const { surroundings, telemetry, commits, ends } = prepare(store)
  await applyTables(surroundings, sensors)
  await deliver(store, sensors, sensorEvent([reading(1), '{', reading(2)]))
  const handler = committerHandler([sensors, plain], { ...surroundings, telemetry })
  const answer = await handler({}, context())
  expect(answer.commits).toMatchObject([
    { table: 'sensors', rows: 2 },
    { table: 'sensors_dead_letters', rows: 1 },
  ])
  expect(commits).toEqual(answer.commits)
  expect(ends).toHaveLength(1)
})

test('a pipeline whose tables cannot be committed to does not keep the others from theirs', async () => {
  const store = new MemoryStore()
  const { surroundings, telemetry, commits, failures } = prepare(store)
  await applyTables(surroundings, sensors)
  await deliver(store, sensors, sensorEvent([reading(1)]))
  const other = { ...sensors, name: 'other', table: { ...sensors.table, name: 'others' } }
  const handler = committerHandler([other, sensors], { ...surroundings, telemetry })
  await expect(handler({}, context())).rejects.toThrow('could not commit to the tables of other')
  expect(failures).toMatchObject([['other', { code: 'TABLE_MISSING' }]])
  expect(commits).toMatchObject([{ table: 'sensors', rows: 1 }, { table: 'sensors_dead_letters' }])
})

test('with no time left nothing is begun', async () => {
  const store = new MemoryStore()
  const { surroundings, telemetry } = prepare(store)
  await applyTables(surroundings, sensors)
  const handler = committerHandler([sensors], { ...surroundings, telemetry })
  expect(await handler({}, context(500))).toEqual({ commits: [], registrations: [] })
})

test('the partitions of plain files are made known to Glue, those of each commit once', async () => {
  const store = new MemoryStore()
  const { surroundings, telemetry, registrations } = prepare(store)
  const missing = (operation: string): object =>
    operation === 'GetTable' ? new GlueRefusal('EntityNotFoundException') : {}
  const { glue, calls } = glueAnswering(({ operation }) => missing(operation))
  const filesDatabase = { glue, database: 'lake', lakeUrl: 's3://lake' }
  const handler = committerHandler([plain], { ...surroundings, telemetry, filesDatabase })
  await deliver(store, plain, sensorEvent([reading(1), reading(2, '2026-01-06'), '{'], 0, 5))
  await deliver(store, plain, sensorEvent([reading(3, '2026-01-07')], 0, 2))
  expect(await handler({}, context())).toMatchObject({
    commits: [],
    registrations: [
      { table: 'sensors', files: 3, partitions: 3 },
      { table: 'sensors_dead_letters', files: 1, partitions: 1 },
    ],
  })
  expect(calls.filter(({ operation }) => operation === 'BatchCreatePartition')).toHaveLength(2)
  expect(await keysOf(store, 'log/').then((keys) => keys.filter((key) => key.includes('/dirty/')))).toEqual([])
  expect(await handler({}, context())).toMatchObject({ registrations: [{ files: 0 }, { files: 0 }] })
  expect(registrations).toHaveLength(4)
})
