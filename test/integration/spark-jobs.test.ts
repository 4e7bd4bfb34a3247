/** The jobs of infra/jobs on a real Spark, while the lake goes on. */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CreateDatabaseCommand } from '@aws-sdk/client-glue'
import { RestCatalog } from '#shared/cli/spark/rest-catalog.ts'
import { type ScriptResult, SparkHost } from '#shared/cli/spark/spark-host.ts'
import { answerSql } from '#shared/cli/sql.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { type OpenCatalog, openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { rollbackTable } from '#shared/lake/lake-tables.ts'
import { parseDataFileKey } from '#shared/lake/log-keys.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { vacuum } from '#shared/lake/vacuum.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { provenTables } from '#shared/lake/verify/snapshot-proof.ts'
import { GrowingTable } from '#test/helpers/growing-table.ts'
import { Moto } from '#test/helpers/moto.ts'
import { SPARK_TIMEOUT_MS, sparkHere } from '#test/helpers/spark.ts'

const JOBS = path.join(import.meta.dirname, '../../infra/jobs')
const DAYS = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'] as const
/** Before a compaction: three files of each day, every time. */
const ROUNDS = 8
const DAY_MS = 86_400_000
const MINUTE = 60_000

/** The committer's clock, so that there is something to expire. */
const tenDaysAgo = (): number => Date.now() - 10 * DAY_MS

/** The lake of each test. */
let lake: string
let store: DirectoryStore
let growing: GrowingTable
beforeEach(async () => {
  lake = await mkdtemp(path.join(os.tmpdir(), 'inlet-jobs-'))
  store = new DirectoryStore(lake)
  growing = new GrowingTable(store, DAYS, current(), tenDaysAgo)
  await growing.table.apply()
})
afterEach(() => rm(lake, { recursive: true, force: true }))

const current = (): OpenCatalog => openCatalog('directory', store)
/** A Spark keeps the catalog that it has known first: this one is of the lake of the test. */
const OF_THE_TEST: OpenCatalog = {
  catalog: {
    load: (table) => current().catalog.load(table),
    create: (table, metadata) => current().catalog.create(table, metadata),
    commit: (table, base, metadata) => current().catalog.commit(table, base, metadata),
  },
  locationOf: (table) => current().locationOf(table),
  filesAt: (location) => current().filesAt(location),
}

let rest: RestCatalog
let host: SparkHost
beforeAll(async () => {
  rest = await RestCatalog.start(OF_THE_TEST, { now: Date.now })
  host = await SparkHost.start(await sparkHere())
}, SPARK_TIMEOUT_MS)
afterAll(async () => {
  await host.stop()
  await rest.stop()
})

/** A job as the scheduler starts it, for a day or for the whole table. */
function run(job: string, day: string | null, args: Record<string, string> = {}, on = host): Promise<ScriptResult> {
  const window = day === null ? {} : windowOf(day)
  const catalog = `rest:${rest.uri}`
  return on.run(path.join(JOBS, `${job}.py`), argumentsOf({ lake: store.url, catalog, ...window, ...args }))
}

function windowOf(day: string): Record<string, string> {
  const start = new Date(day)
  const end = new Date(start.getTime() + DAY_MS)
  return { 'window-column': 'at', 'window-start': start.toISOString(), 'window-end': end.toISOString() }
}

function argumentsOf(args: Record<string, string>): string[] {
  const all = { run: 'test', pipeline: 'sensors', table: 'sensors', snapshot: '', partition: '', ...args }
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
}

async function landed(rounds: number, of = growing): Promise<void> {
  for (let round = 0; round < rounds; round++) await of.land()
  await of.commit()
}

/** `inlet verify --deep`: nothing is wrong with the log or the table; how many rows of it were traced to their records. */
async function proven(of = growing): Promise<number | null> {
  const { tables } = of.table.surroundings
  const replaced = new Set<string>()
  let traced: number | null = null
  for await (const { proof, replaced: gone } of provenTables(of.store, tables, { deep: true })) {
    expect(proof.faults).toEqual([])
    if (proof.table === 'sensors') traced = proof.traced
    for (const each of gone) replaced.add(each)
  }
  const { faults } = await verifyLake(of.store, { deep: true, isReplaced: (each) => replaced.has(each) })
  expect(faults).toEqual([])
  return traced
}

/**
 * Runs something while a writer lands and commits and a reader looks, all the time.
 * @returns how many rounds were landed, and how many snapshots were read
 */
async function amidTraffic(of: GrowingTable, work: () => Promise<void>): Promise<{ rounds: number; reads: number }> {
  const end = new AbortController()
  let [rounds, reads] = [0, 0]
  const write = async (): Promise<void> => {
    for (; !end.signal.aborted; rounds++) {
      await of.land()
      await of.commit()
      await pause(400)
    }
  }
  const read = async (): Promise<void> => {
    for (; !end.signal.aborted; reads++) {
      const before = of.committed
      const found = await of.read()
      const after = of.landed
      for (const [key, value] of before)
        if (found.get(key) !== value) throw new Error(`${key} is not there, or another`)
      for (const [key, value] of found) if (after.get(key) !== value) throw new Error(`${key} was never landed`)
      await pause(200)
    }
  }
  const working = work().finally(() => end.abort())
  await Promise.all([working, write(), read()])
  return { rounds, reads }
}

/** What was there before the compaction is one file a day now; what came later is as it came. */
async function compactedAmidTraffic(
  of: GrowingTable,
  days: readonly string[],
  rounds: number,
  compact: (day: string) => Promise<ScriptResult>,
): Promise<void> {
  await landed(rounds, of)
  const before = await of.filesByDay()
  const said: unknown[] = []
  const traffic = await amidTraffic(of, async () => {
    for (const day of days) {
      const { error, said: line } = await compact(day)
      expect(error).toBeNull()
      said.push(JSON.parse(line))
    }
  })
  expect(Math.min(traffic.rounds, traffic.reads)).toBeGreaterThan(1)
  for (const [i, day] of days.entries()) {
    const was = before.get(day)?.own ?? []
    expect(was).toHaveLength(3 * rounds)
    const { own, others } = (await of.filesByDay()).get(day) ?? { own: [], others: [] }
    expect(others).toHaveLength(1)
    expect(own.filter((file) => was.includes(file))).toEqual([])
    expect(said[i]).toMatchObject({ 'files after': 1 })
  }
  await of.commit()
  expect(await proven(of)).toBe(of.landed.size)
}

test(
  'compacted while the writer keeps appending: no reader finds a gap or a double, every row is traced',
  async () => {
    await compactedAmidTraffic(growing, DAYS.slice(0, 2), ROUNDS, (day) => run('compact', day))
    expect(await growing.read()).toEqual(growing.landed)
  },
  3 * MINUTE,
)

test(
  'killed half-way, a compaction has changed nothing; the next one does the work',
  async () => {
    await landed(ROUNDS)
    const before = await growing.table.metadata()
    const dying = await SparkHost.start(await sparkHere())
    try {
      const running = run('compact', DAYS[0], {}, dying)
      const data = path.join(lake, 'tables/sensors/data')
      // A file of its own, which may not be whole: nothing is committed yet.
      for (;;) {
        const files = await readdir(data, { recursive: true })
        if (files.some((file) => file.endsWith('.parquet') && parseDataFileKey(file) === undefined)) break
        await pause(2)
      }
      await dying.kill()
      expect((await running).error).toContain('Spark has ended')
    } finally {
      await dying.stop()
    }
    expect(await growing.table.metadata()).toEqual(before)
    expect(await growing.read()).toEqual(growing.landed)
    await proven()

    await landed(1)
    expect(await run('compact', DAYS[0])).toMatchObject({ error: null })
    expect((await growing.filesByDay()).get(DAYS[0])).toMatchObject({ own: [], others: [expect.anything()] })
    expect(await growing.read()).toEqual(growing.landed)
    expect(await proven()).toBe(growing.landed.size)
  },
  3 * MINUTE,
)

test(
  'an expiry deletes what was replaced and what others left behind, and nothing that the log may still need',
  async () => {
    await landed(3)
    await landed(3)
    const replaced = (await growing.table.files()).map(({ location }) => location)
    expect(await run('compact', null)).toMatchObject({ error: null })

    // A slice that the table has not taken yet, for a month; and what a Spark left that died then.
    await growing.land()
    const live = new Set([...replaced, ...(await growing.table.files()).map(({ location }) => location)])
    const folder = path.join(lake, 'tables/sensors/data')
    const names = (await readdir(folder, { recursive: true })).map((name) => path.join(folder, name))
    const pending = names.filter((name) => name.endsWith('.parquet') && !live.has(`file://${name}`) && !live.has(name))
    const own = pending.filter((name) => parseDataFileKey(name) !== undefined)
    expect(own).toHaveLength(3 * DAYS.length)
    const orphan = path.join(folder, 'at_day=2026-01-01/00000-7-11111111-2222-3333-4444-555555555555-0-00001.parquet')
    await writeFile(orphan, 'half a file')
    const monthAgo = new Date(Date.now() - 30 * DAY_MS)
    for (const file of [...own, orphan]) await utimes(file, monthAgo, monthAgo)

    const { error, said } = await run('expire', null, { 'retain-last': '1' })
    expect(error).toBeNull()
    expect(JSON.parse(said)).toMatchObject({
      'data files deleted': replaced.length,
      'orphans deleted': 1,
      "files of Inlet's left": own.length,
    })
    for (const file of [...replaced.map((uri) => fileURLToPath(uri)), orphan])
      expect({ file, isThere: existsSync(file) }).toEqual({ file, isThere: false })
    await proven()

    await growing.commit()
    expect(await growing.read()).toEqual(growing.landed)
    await landed(1)
    expect(await growing.read()).toEqual(growing.landed)
    await proven()
    for await (const { key } of vacuum(store, 'sensors')) throw new Error(`${key} was not to be deleted`)

    expect(await run('expire', null, { 'orphan-days': '3' })).toMatchObject({
      error: expect.stringContaining('orphan-days: at least 4') as unknown,
    })
    expect(await run('expire', null, { table: 'sensors_dead_letters' })).toMatchObject({
      error: expect.stringContaining('left as they are') as unknown,
    })
  },
  3 * MINUTE,
)

test(
  'after a roll-back nothing is expired before the log was taken again',
  async () => {
    for (let i = 0; i < 2; i++) await landed(1)
    const first = (await growing.table.metadata()).snapshots[0]?.['snapshot-id']
    await rollbackTable(growing.table.surroundings, growing.table.owner, String(first))
    expect(await run('expire', null)).toMatchObject({ error: expect.stringContaining('was rolled back') as unknown })
    await landed(1)
    expect(await run('expire', null)).toMatchObject({ error: null })
    expect(await growing.read()).toEqual(growing.landed)
  },
  MINUTE,
)

test(
  'a summary has the rows of each window once, however often it is run',
  async () => {
    await landed(2)
    const sql = 'SELECT _kafka_partition AS source, count(*) AS readings, sum(value) AS total FROM sensors GROUP BY 1'
    const args = { sql, into: 'totals' }
    for (const day of [DAYS[0], DAYS[1], DAYS[0]])
      expect(await run('aggregate', day, args)).toMatchObject({ error: null })
    await landed(1)
    expect(await run('aggregate', DAYS[1], args)).toMatchObject({ error: null })
    const counted = 'SELECT window_start::VARCHAR, source, readings FROM totals ORDER BY ALL'
    const { rows } = await answerSql(counted, store)
    const expected = [12, 18].flatMap((readings, day) =>
      [0, 1, 2].map((source) => [`2026-01-0${day + 1} 00:00:00+00`, source, readings]),
    )
    expect(rows.map(([day, source, readings]) => [day, Number(source), Number(readings)])).toEqual(expected)

    const refused = async (changed: Record<string, string>): Promise<string | null> =>
      (await run('aggregate', DAYS[0], { ...args, ...changed })).error
    expect(await refused({ into: 'sensors' })).toContain('is filled from the log')
    expect(await refused({ sql: 'SELECT nothing FROM sensors' })).toContain('sql: ')
    expect(await refused({ 'window-column': 'nothing' })).toContain("has no column 'nothing'")
    expect(await growing.read()).toEqual(growing.landed)
  },
  2 * MINUTE,
)

/** What AWS Glue's own Python does with a script's arguments: names come back with underscores, and each has to be there. */
const GLUE_UTILS = `
import argparse

def getResolvedOptions(args, options):
    parser = argparse.ArgumentParser()
    for option in options:
        parser.add_argument("--" + option, required=True)
    return vars(parser.parse_known_args(args[1:])[0])
`
/** What Glue adds to the arguments of a run. */
const OF_GLUE = [
  '--JOB_NAME',
  'inlet-compact',
  '--enable-metrics',
  'true',
  '--extra-py-files',
  's3://scripts/lake_job.py',
  '--additional-python-modules',
  'scikit-learn==1.9.1',
]

test(
  'the same in S3 and Glue, with the arguments as Glue gives them',
  async () => {
    const moto = await Moto.start()
    const location = 's3://lake/jobs'
    await mkdir(path.join(lake, 'awsglue'))
    await writeFile(path.join(lake, 'awsglue/__init__.py'), '')
    await writeFile(path.join(lake, 'awsglue/utils.py'), GLUE_UTILS)
    let remote: SparkHost | undefined
    try {
      await moto.createBucket('lake')
      await moto.glue().send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'lake_db' } }))
      const s3 = new S3Store(location, { client: moto.s3() })
      const of = new GrowingTable(s3, DAYS, openCatalog('glue:lake_db', s3, { glue: moto.glue() }))
      await of.table.apply()
      const lakeSettings = {
        'glue.endpoint': moto.endpoint,
        's3.endpoint': moto.endpoint,
        's3.path-style-access': 'true',
      }
      const settings = Object.entries(lakeSettings).map(([name, value]) => [`spark.sql.catalog.lake.${name}`, value])
      remote = await SparkHost.start(await sparkHere({ onS3: true }), {
        settings: Object.fromEntries(settings) as Record<string, string>,
        environment: {
          PYTHONPATH: lake,
          AWS_ACCESS_KEY_ID: 'testing',
          AWS_SECRET_ACCESS_KEY: 'testing',
          AWS_REGION: 'us-east-1',
        },
      })
      const onGlue = remote
      const place = { lake: location, catalog: 'glue:lake_db' }
      await compactedAmidTraffic(of, DAYS.slice(0, 2), 3, (day) =>
        onGlue.run(path.join(JOBS, 'compact.py'), [...OF_GLUE, ...argumentsOf({ ...place, ...windowOf(day) })]),
      )
      const emptied = argumentsOf(place).filter((part) => part !== '')
      expect(await onGlue.run(path.join(JOBS, 'expire.py'), [...emptied, ...OF_GLUE])).toMatchObject({ error: null })
      await landed(1, of)
      expect(await of.read()).toEqual(of.landed)
      await proven(of)
    } finally {
      await remote?.stop()
      await moto.stop()
    }
  },
  4 * MINUTE,
)
