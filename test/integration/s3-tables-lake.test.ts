import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { CreateNamespaceCommand, CreateTableBucketCommand } from '@aws-sdk/client-s3tables'
import { redrive } from '#shared/cli/dead-letters-redrive.ts'
import { deadLetterGroups } from '#shared/cli/dead-letters.ts'
import { runPipeline } from '#shared/cli/run.ts'
import { answerSql } from '#shared/cli/sql.ts'
import { vacuumLake } from '#shared/cli/vacuum.ts'
import { type LakeProof, verifyWithProgress } from '#shared/cli/verification.ts'
import { whereIs } from '#shared/cli/whereis.ts'
import { committedFiles } from '#shared/lake/committed-files.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { commitTables } from '#shared/lake/pipeline-tables.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { bundleHandler } from '#test/bench/built-handler.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import { FaultProxy } from '#test/helpers/fault-proxy.ts'
import { inletProcesses, outcomeOf } from '#test/helpers/inlet-process.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { sensors } from '#test/helpers/locked-sensors.ts'
import { mended, timeless } from '#test/helpers/mending-sensors.ts'
import { Moto, START_TIMEOUT_MS } from '#test/helpers/moto.ts'
import { runPyiceberg } from '#test/helpers/pyiceberg.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

/** What an object in the bucket of a table can be asked for; a bucket nothing. */
const ALLOWED = /^(?:GET|HEAD|PUT) \/[0-9a-f-]{36}--table-s3\/[^?]+(?:\?x-id=(?:GetObject|PutObject))?$/

const directory = temporaryDirectory()
const start = inletProcesses()
let moto: Moto
let proxy: FaultProxy
let catalog: string
let lake: string
let tests = 0
/** What the buckets of tables were asked for, and what of it S3 Tables does not know. */
let asked: string[]
/** The path of an object that the server has lost. */
let lost: string | undefined
const before = process.env

beforeAll(async () => {
  moto = await Moto.start()
  await moto.createBucket('lake')
  const arn = (await moto.s3Tables().send(new CreateTableBucketCommand({ name: 'tables' }))).arn ?? ''
  for (const namespace of ['n1', 'n2', 'n3', 'n4', 'n5'])
    await moto.s3Tables().send(new CreateNamespaceCommand({ tableBucketARN: arn, namespace: [namespace] }))
  catalog = `s3tables:${arn}/`
}, START_TIMEOUT_MS)
afterAll(() => moto?.stop())

beforeEach(async () => {
  tests += 1
  lake = `s3://lake/lakes/${tests}`
  catalog = catalog.replace(/[^/]*$/, `n${tests}`)
  asked = []
  proxy = await FaultProxy.start(moto.endpoint)
  lost = undefined
  proxy.plan = (request) => {
    const { method = '', url = '' } = request
    if (url.includes('--table-s3')) asked.push(`${method} ${url}`)
    // No client can take an object away, so that another is looked for.
    if (lost !== undefined && decodeURIComponent(url).includes(lost)) request.url = url.replace('.parquet', '.lost')
    return undefined
  }
  process.env = { ...before, ...environment(), POWERTOOLS_LOG_LEVEL: 'SILENT' }
})
afterEach(async () => {
  process.env = before
  await proxy.close()
  const refused = asked.filter((request) => !ALLOWED.test(request))
  if (refused.length > 0) throw new Error(`S3 Tables does not know: ${refused.join(', ')}`)
})

const environment = (): Record<string, string> => ({
  AWS_ENDPOINT_URL: proxy.endpoint,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'testing',
  AWS_SECRET_ACCESS_KEY: 'testing',
})

/** Rows as people name them: Kafka partition, offset and index. */
interface ReadTable {
  readonly location: string
  readonly files: readonly string[]
  readonly positions: readonly (readonly [number, number, number])[]
}

/** A table as pyiceberg reads it. */
async function read(table: string): Promise<ReadTable> {
  const loaded = await openCatalog(catalog, openStore(lake)).catalog.load(table)
  const request = { properties: moto.pyicebergProperties(), location: loaded?.location }
  return (await runPyiceberg(path.join(import.meta.dirname, 's3-tables-lake.py'), request)) as ReadTable
}

const verify = (deep = true): Promise<LakeProof> => verifyWithProgress(lake, catalog, deep)

async function count(table: string): Promise<unknown> {
  const { rows } = await answerSql(`SELECT count(*)::INT FROM ${table}`, openLake(lake), { catalog })
  return rows[0]?.[0]
}

/** Runs 30 values in three batches, of which five are refused for want of a time. */
async function run(): Promise<void> {
  const values = Array.from({ length: 30 }, (_, i) => (i % 6 === 5 ? timeless(i) : reading(i + 1)))
  const events = path.join(directory(), 'values.ndjson')
  await writeFile(events, values.join('\n'))
  const summary = await runPipeline(sensors, { events: [events], lake, catalog, partitions: 1, batch: 10 })
  expect(summary).toMatchObject({ records: 30, rows: 25, deadLetters: 5 })
}

test(
  'a run: all data lies with its table, pyiceberg, verify and query read it, and dead letters come back',
  async () => {
    await run()
    expect(await keysOf(openStore(lake), 'tables/')).toEqual([])
    const rows = await read('sensors')
    expect(rows.location).toMatch(/^s3:\/\/[0-9a-f-]{36}--table-s3$/)
    expect(rows.files.filter((file) => !file.startsWith(`${rows.location}/data/at_day=`))).toEqual([])
    const offsets = Array.from({ length: 30 }, (_, i) => i).filter((i) => i % 6 !== 5)
    expect(rows.positions).toEqual(offsets.map((offset) => [0, offset, 0]))
    const letters = await read('sensors_dead_letters')
    expect(letters.location).not.toBe(rows.location)
    expect(letters.files.filter((file) => !file.startsWith(`${letters.location}/data/`))).toEqual([])
    expect(letters.positions).toHaveLength(5)

    expect(await verify()).toMatchObject({ faults: [], orphans: [], checks: { rows: 25, deadLetters: 5 } })
    expect([await count('sensors'), await count('sensors_dead_letters')]).toEqual([25, 5])
    expect(await deadLetterGroups(openLake(lake))).toMatchObject([{ open: 5, resolved: 0 }])

    expect(await redrive(locked(mended), { lake })).toMatchObject({ found: 5, written: 5, failed: 0 })
    expect(await keysOf(openStore(lake), 'tables/')).toEqual([])
    const surroundings = { store: openLake(lake), tables: openCatalog(catalog, openStore(lake)), now: Date.now }
    await commitTables(surroundings, sensors)
    expect((await read('sensors')).positions).toHaveLength(30)
    expect((await verify()).faults).toEqual([])
    expect(await deadLetterGroups(openLake(lake))).toMatchObject([{ open: 0, resolved: 5 }])
    const [found] = await whereIs(openLake(lake), { topic: 'sensors', partition: 0, offset: 5 })
    expect(found).toMatchObject({
      status: 'row',
      history: [{ verdict: 'dead letter' }, { rows: [{ row: { value: 5 } }] }],
    })
  },
  VENV_TIMEOUT_MS,
)

test('vacuum leaves it to S3 Tables, and says so', async () => {
  await run()
  const paths = [...(await committedFiles(openLake(lake))).values()].flat().map((file) => file.path)
  const vacuuming = await vacuumLake(openLake(lake), { catalog })
  expect(vacuuming).toMatchObject({ files: 0, deleted: [] })
  expect(vacuuming.outside.map(({ table }) => table)).toEqual(['sensors', 'sensors_dead_letters'])
  for (const key of paths) expect(await openLake(lake).size(key)).toBeGreaterThan(0)

  const vacuum = ['vacuum', '--table', 'sensors', '--lake', lake, '--catalog', catalog]
  const { end, printed } = await outcomeOf(start(vacuum, environment()))
  expect(end).toBe('ok')
  expect(printed).toMatch(/S3 Tables itself removes .*:\n {2}sensors {2}s3:\/\/[0-9a-f-]{36}--table-s3\n$/)
}, 60_000)

test('verify finds a file there that was lost, and one that was changed', async () => {
  await run()
  const check = (): ReturnType<typeof outcomeOf> =>
    outcomeOf(start(['verify', '--deep', '--json', '--lake', lake, '--catalog', catalog], environment()))
  expect((await check()).end).toBe('ok')

  const [first, second] = (await committedFiles(openLake(lake))).get('sensors')?.map((file) => file.path) ?? []
  lost = new URL(first ?? '').pathname
  const body = Buffer.from((await openLake(lake).get(second ?? '')) ?? [])
  body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1
  await openLake(lake).put(second ?? '', body)
  const { end, printed } = await check()
  expect(end).toMatch(/^1: /)
  const { faults } = JSON.parse(printed) as LakeProof
  expect(faults).toHaveLength(2)
  expect(faults).toEqual(
    expect.arrayContaining([
      { object: first, fault: expect.stringMatching(/^is missing/) as string },
      { object: second, fault: expect.stringMatching(/^has another checksum/) as string },
    ]),
  )
}, 60_000)

test(
  'a lake that had its data files in its own bucket goes on, and each is read where it lies',
  async () => {
    // As it was written before tables had buckets, and before anything was noted of where they lie.
    const plain = openStore(lake)
    const surroundings = { store: plain, tables: openCatalog(catalog, plain), now: Date.now }
    await deliver(plain, sensors, sensorEvent([reading(1)]))
    await run()
    await deliver(plain, sensors, sensorEvent([reading(2), timeless(1)], 0, 1))
    const key = 'marks/sensors/g0/sensors/table.json'
    const note = JSON.parse(Buffer.from((await plain.get(key)) ?? []).toString()) as { location: string }
    await plain.put(key, Buffer.from(JSON.stringify({ ...note, location: undefined })))
    await commitTables(surroundings, sensors)
    await deliver(openLake(lake), sensors, sensorEvent([reading(3)], 0, 3))
    await commitTables(surroundings, sensors)

    const { location, files, positions } = await read('sensors')
    expect(note.location).toBe(location)
    const inLake = files.filter((file) => file.startsWith(`${lake}/tables/sensors/data/`))
    const outside = files.filter((file) => file.startsWith(`${location}/data/`))
    expect([inLake.length, inLake.length + outside.length]).toEqual([2, files.length])
    expect(positions).toHaveLength(28)
    expect(await verify()).toMatchObject({ faults: [], checks: { rows: 28, deadLetters: 6 } })
    expect([await count('sensors'), await count('sensors_dead_letters')]).toEqual([28, 6])
    expect(await redrive(locked(mended), { lake })).toMatchObject({ found: 6, written: 6, failed: 0 })
    expect((await verify()).faults).toEqual([])
  },
  VENV_TIMEOUT_MS,
)

test(
  'the deployed handler lands nothing before the tables are made, and then each file with its table',
  async () => {
    const outfile = path.join(directory(), 'handler.cjs')
    const { modules } = await bundleHandler('flights', outfile)
    expect([...modules.keys()].filter((module) => module.includes('/client-s3tables/'))).toEqual([])
    const invoke = async (event: string): Promise<string> => {
      const script = `require(${JSON.stringify(outfile)}).handler(require('./events/flights/${event}.json'),
        { getRemainingTimeInMillis: () => 60000 }).catch((error) => { console.error(error); process.exitCode = 1 })`
      const env = { ...environment(), PATH: before['PATH'], LAKE_URL: lake, LAKE_CATALOG: catalog }
      const child = spawn(process.execPath, ['-e', script], { cwd: projectRoot, env })
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
      child.stdout.resume()
      const [code] = (await once(child, 'close')) as [number]
      return code === 0 ? 'ok' : said
    }
    expect(await invoke('batch')).toContain('make it with "inlet table apply flights"')
    expect(await keysOf(new S3Store(lake, { client: moto.s3() }), 'log/')).not.toContainEqual(
      expect.stringContaining('/commits/'),
    )
    for (const [command, events] of [
      ['apply', ['batch', 'contract-violation']],
      ['commit', []],
    ] as const) {
      const { end } = await outcomeOf(
        start(['table', command, 'flights', '--lake', lake, '--catalog', catalog], environment()),
      )
      expect(end).toBe('ok')
      for (const event of events) expect(await invoke(event)).toBe('ok')
    }
    expect(await keysOf(openStore(lake), 'tables/')).toEqual([])
    const [rows, letters] = [await read('flights'), await read('flights_dead_letters')]
    for (const { location, files } of [rows, letters])
      expect(files.filter((file) => !file.startsWith(`${location}/data/`))).toEqual([])
    const { counts, faults } = await verify()
    expect(faults).toEqual([])
    expect(counts).toMatchObject({ rows: rows.positions.length, rejected: letters.positions.length })
    expect(rows.positions.length).toBeGreaterThan(10)
    expect(letters.positions.length).toBeGreaterThan(0)
  },
  VENV_TIMEOUT_MS,
)
