/** The job `train` of infra/jobs on a real Spark: the model is the one that `inlet model train` makes of the same rows. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { flights } from '#functions/flights/pipeline.ts'
import { MODEL_SOURCES, modelDeclaration } from '#shared/cli/model/declaration.ts'
import { examplesOfLake } from '#shared/cli/model/examples.ts'
import { modelPython } from '#shared/cli/model/python.ts'
import { type Training, trainModel } from '#shared/cli/model/training.ts'
import { runPipeline } from '#shared/cli/run.ts'
import { RestCatalog } from '#shared/cli/spark/rest-catalog.ts'
import { type ScriptResult, SparkHost } from '#shared/cli/spark/spark-host.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { Moto, START_TIMEOUT_MS } from '#test/helpers/moto.ts'
import { SPARK_TIMEOUT_MS, sparkHere } from '#test/helpers/spark.ts'

const SCRIPT = path.join(projectRoot, 'infra/jobs/train.py')
const EVENTS = path.join(projectRoot, 'events/flights/2013-01.ndjson.gz')
const MINUTE = 60_000
const quietly = (): void => undefined

let folder: string
let store: DirectoryStore
let rest: RestCatalog
let moto: Moto
let host: SparkHost
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-train-'))
  const lake = path.join(folder, 'lake')
  await runPipeline(flights, { events: [EVENTS], lake, partitions: 3 })
  store = new DirectoryStore(lake)
  rest = await RestCatalog.start(openCatalog('directory', store), { now: Date.now })
  moto = await Moto.start()
  await moto.createBucket('models')
  const settings = { 's3.endpoint': moto.endpoint, 's3.path-style-access': 'true' }
  host = await SparkHost.start(await sparkHere({ onS3: true }), {
    settings: Object.fromEntries(Object.entries(settings).map(([k, v]) => [`spark.sql.catalog.lake.${k}`, v])),
    environment: {
      // The code as Glue and EMR have it, and what a package index gives them.
      PYTHONPATH: [await zippedModule(), await modelPackages()].join(path.delimiter),
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_REGION: 'us-east-1',
    },
  })
}, SPARK_TIMEOUT_MS + START_TIMEOUT_MS)
afterAll(async () => {
  await host?.stop()
  await moto?.stop()
  await rest?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function zippedModule(): Promise<string> {
  const zip = path.join(folder, 'flight_delay.zip')
  await promisify(execFile)('python3', ['-m', 'zipfile', '-c', zip, path.join(MODEL_SOURCES, 'flight_delay')])
  return zip
}

async function modelPackages(): Promise<string> {
  const print = 'import sysconfig; print(sysconfig.get_path("purelib"))'
  return (await promisify(execFile)(await modelPython(quietly), ['-c', print])).stdout.trim()
}

/** As the scheduler starts it. */
function train(args: Readonly<Record<string, string>> = {}, on = host): Promise<ScriptResult> {
  const place = { pipeline: 'flights', table: 'flights', lake: store.url, catalog: `rest:${rest.uri}` }
  const all = { run: 'test', snapshot: '', partition: '', ...place, ...args }
  return on.run(
    SCRIPT,
    Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
  )
}

interface Said extends Omit<Training, 'folder' | 'archive'> {
  readonly rows: number
  /** URI of the archive. */
  readonly model: string
}

async function trained(args: Readonly<Record<string, string>> = {}): Promise<Said> {
  const { error, said } = await train(args)
  expect(error).toBeNull()
  return JSON.parse(said) as Said
}

/** `inlet model train --lake`, of the rows whose line is wanted. */
async function trainedHere(of: (scheduledAt: string) => boolean = () => true): Promise<Training> {
  const declaration = await modelDeclaration('flights')
  const { csv } = await examplesOfLake(flights, declaration, store, 'directory')
  const [head = '', ...lines] = csv.trimEnd().split('\n')
  const at = declaration.features.indexOf('scheduledAt')
  const chosen = lines.filter((line) => of(line.split(',')[at] as string))
  const into = await mkdtemp(path.join(folder, 'here-'))
  return trainModel({ csv: `${[head, ...chosen].join('\n')}\n`, rows: chosen.length }, into, quietly)
}

/** The model that an archive has, as a container finds it. */
function contentOf(archive: Uint8Array): string {
  return execFileSync('tar', ['-xzO', 'model.json'], { input: archive, maxBuffer: archive.length * 100 }).toString()
}

test(
  'the same rows give the same model, below the lake, beside those of before',
  async () => {
    const { archive, folder: _folder, ...here } = await trainedHere()
    const said = await trained()
    expect(said).toEqual({ ...here, rows: 26_398, model: said.model })
    expect(said.model).toMatch(new RegExp(`^${store.url}/?models/\\d{8}T\\d{6}Z-${here.version}/model\\.tar\\.gz$`))
    const job = contentOf(await readFile(fileURLToPath(said.model)))
    expect(job).toBe(contentOf(await readFile(archive)))
    expect(await readFile(new URL('model.json', said.model), 'utf8')).toBe(job)

    const days = await trained({ days: '14' })
    const fortnight = await trainedHere((at) => Date.parse(at) >= Date.UTC(2013, 0, 19))
    expect(days).toMatchObject({ version: fortnight.version, auc: fortnight.auc, flights: fortnight.flights })
    expect(days.version).not.toBe(said.version)
    expect(await readdir(path.dirname(path.dirname(fileURLToPath(said.model))))).toHaveLength(2)
  },
  2 * MINUTE,
)

test(
  'of a window and the days before its end; into another bucket; of too many rows the same sample each time',
  async () => {
    const window = {
      'window-column': 'scheduledAt',
      'window-start': '2013-01-20T00:00:00Z',
      'window-end': '2013-01-21',
    }
    const said = await trained({ ...window, days: '10', into: 's3://models/of/flights' })
    const here = await trainedHere((at) => at.slice(0, 10) >= '2013-01-11' && at.slice(0, 10) <= '2013-01-20')
    expect(said).toMatchObject({ version: here.version, auc: here.auc })
    const s3 = new S3Store('s3://models', { client: moto.s3() })
    const archive = await s3.get(said.model.replace('s3://models/', ''))
    expect(JSON.parse(contentOf(archive as Uint8Array))).toMatchObject({ version: here.version })

    const samples = [await trained({ 'most-rows': '5000' }), await trained({ 'most-rows': '5000' })]
    expect(new Set(samples.map(({ version }) => version)).size).toBe(1)
    const { learned = 0, heldOut = 0 } = samples[0]?.flights ?? {}
    expect(Math.abs(learned + heldOut - 5000)).toBeLessThan(300)
    expect(samples[0]).toMatchObject({ rows: 26_398 })
  },
  2 * MINUTE,
)

test(
  'what cannot be is refused in a line',
  async () => {
    const refused = async (args: Readonly<Record<string, string>>, on = host): Promise<string | null> =>
      (await train(args, on)).error
    expect(await refused({ pipeline: 'sensors' })).toMatch(/^pipeline: no model is made for 'sensors'/)
    expect(await refused({ table: 'flights_dead_letters' })).toMatch(
      /^table: flights_dead_letters has no column carrier, /,
    )
    expect(await refused({ into: '/models' })).toMatch(/^into: expected s3:/)
    expect(await refused({ into: 's3://nobodys/models' })).toMatch(
      /^into: s3:\/\/nobodys\/models\/.* cannot be written: /,
    )
    const of = { 'window-column': 'scheduledAt', 'window-start': '2012-01-01', 'window-end': '2012-01-02' }
    expect(await refused(of)).toMatch(/^flights has no rows to learn from in the window: /)
    const day = { ...of, 'window-start': '2013-01-02T12:00:00Z', 'window-end': '2013-01-02T15:00:00Z' }
    expect(await refused(day)).toMatch(/^nothing is trained: /)
    expect(await refused({ days: '0' })).toContain('0 is not above 0')
  },
  2 * MINUTE,
)

test(
  'what is missing on Glue or EMR is told by the argument that gives it',
  async () => {
    const told = async (PYTHONPATH: string): Promise<string | null> => {
      const bare = await SparkHost.start(await sparkHere(), { environment: { PYTHONPATH } })
      try {
        return (await train({}, bare)).error
      } finally {
        await bare.stop()
      }
    }
    expect(await told('')).toMatch(/flight_delay is not there: .*--extra-py-files/)
    const sources = path.join(folder, 'only-sources')
    await mkdir(path.join(sources, 'flight_delay'), { recursive: true })
    await writeFile(path.join(sources, 'flight_delay/__init__.py'), '')
    expect(await told(sources)).toMatch(/scikit-learn is not there: .*--additional-python-modules/)
  },
  MINUTE,
)
