import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { flights as unscored } from '#functions/flights/pipeline.ts'
import { modelDeclaration } from '#shared/cli/model/declaration.ts'
import { examplesOfEvents, examplesOfLake } from '#shared/cli/model/examples.ts'
import { modelPython } from '#shared/cli/model/python.ts'
import { ServedModel } from '#shared/cli/model/serving.ts'
import { type Training, modelEnvironment, trainModel } from '#shared/cli/model/training.ts'
import { runPipeline } from '#shared/cli/run.ts'
import { answerSql } from '#shared/cli/sql.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { flightValues } from '#test/helpers/flights-topic.ts'
import { InfrastructureLinters } from '#test/helpers/infrastructure-linters.ts'
import { inletProcesses } from '#test/helpers/inlet-process.ts'
import { scoredFlightsWith } from '#test/helpers/scored-flights.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const EVENTS = path.join(projectRoot, 'events/flights/2013-01.ndjson.gz')
const FEATURES = ['carrier', 'origin', 'destination', 'scheduledAt', 'distanceMiles', 'departureDelayMinutes']
const directory = temporaryDirectory()
const startInlet = inletProcesses()
/** For a machine that does other things, too. */
const PATIENCE_MS = 300_000
const quietly = (): void => undefined

let folder: string
let trained: Training
let model: ServedModel

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-model-'))
  const declaration = await modelDeclaration('flights')
  trained = await trainModel(await examplesOfEvents(unscored, declaration, [EVENTS]), folder, quietly)
  model = await ServedModel.start(folder, quietly)
  process.env['AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME'] = model.url
}, 2 * VENV_TIMEOUT_MS)

afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME']
  await model?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Rows of CSV from standard input, a prediction a line; nothing between the model's file and them but the model. */
const OFFLINE = `
import csv, sys
from pathlib import Path
from flight_delay.model import Model
model = Model.load(Path(sys.argv[1]) / 'model')
for row in csv.reader(sys.stdin): print(repr(model.probability(row)))
`

async function offline(rows: readonly (readonly unknown[])[]): Promise<number[]> {
  const env = modelEnvironment(folder)
  const python = spawn(await modelPython(quietly), ['-c', OFFLINE, folder], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  python.stdin.end(rows.map((row) => `${row.join(',')}\n`).join(''))
  const [printed] = await Promise.all([text(python.stdout), once(python, 'close')])
  return printed.trimEnd().split('\n').map(Number)
}

/** January as often as it takes, each time with other distances, so that no two of a flight's rows have the same score. */
async function manyFlights(count: number): Promise<string> {
  const month = (await flightValues()).map((value) => JSON.parse(value.toString()) as { distanceMiles: number })
  const lines = Array.from({ length: count }, (_, i) => {
    const flight = month[i % month.length] as (typeof month)[number]
    return JSON.stringify({ ...flight, distanceMiles: flight.distanceMiles + 500 * Math.floor(i / month.length) })
  })
  const file = path.join(directory(), 'flights.ndjson')
  await writeFile(file, `${lines.join('\n')}\n`)
  return file
}

describe('scored in the stream, every row has the prediction that the model makes of it offline', () => {
  // A request for each of 100,000 rows would take minutes, and a seventh as many not much less.
  test.each([
    { batch: 1, flights: 1000, contentType: 'text/csv' },
    { batch: 7, flights: 7000, contentType: 'application/jsonlines' },
    { batch: 500, flights: 100_000, contentType: 'text/csv' },
    { batch: 10_000, flights: 100_000, contentType: 'application/json' },
  ])(
    '$flights flights, $batch a request, as $contentType',
    async ({ batch, flights, contentType }) => {
      const events = await manyFlights(flights)
      const lake = path.join(directory(), 'lake')
      const pipeline = scoredFlightsWith({ batch: { rows: batch }, contentType })
      const run = await runPipeline(pipeline, { events: [events], lake, partitions: 3, batch: 10_000 })
      const sql = `SELECT carrier, origin, destination, strftime(scheduledAt, '%Y-%m-%dT%H:%M:%SZ'), distanceMiles,
      departureDelayMinutes, delayScore, delayModel FROM flights_scored`
      const { rows } = await answerSql(sql, openStore(lake))
      const departed = rows.filter((row) => row[5] !== null)
      expect(run.scores).toMatchObject({ scored: departed.length, unscored: 0, waiting: 0 })
      expect(rows).toHaveLength(flights)
      expect(rows.filter((row) => row[5] === null).every((row) => row[6] === null)).toBe(true)
      const scores = departed.map((row) => row[6])
      // Otherwise a score in another's row would not be seen.
      expect(new Set(scores).size).toBeGreaterThan(departed.length * 0.8)
      expect(scores).toEqual(await offline(departed.map((row) => row.slice(0, 6))))
      expect(new Set(departed.map((row) => row[7]))).toEqual(new Set([trained.version]))
    },
    PATIENCE_MS,
  )
})

describe('training', () => {
  test('learns the same from a lake as from the events that are in it', async () => {
    const lake = path.join(directory(), 'lake')
    await runPipeline(unscored, { events: [EVENTS], lake, partitions: 1 })
    const declaration = await modelDeclaration('flights')
    const examples = await examplesOfLake(unscored, declaration, openStore(lake), 'directory')
    expect(examples.rows).toBe(26_398)
    const again = await trainModel(examples, path.join(directory(), 'model'), quietly)
    const { version, auc, aucOfDepartureDelay, flights, days } = trained
    expect({ flights, days }).toEqual({
      flights: { learned: 20_679, heldOut: 5719 },
      days: { learned: 24, heldOut: 7 },
    })
    // The rows come in another order, in which sums would be rounded otherwise.
    expect(again).toMatchObject({ version, auc, aucOfDepartureDelay, flights, days })
    expect(auc).toBeGreaterThan(0.88)
    expect(aucOfDepartureDelay).toBeGreaterThan(0.88)
    expect(trained.logLoss).toBeLessThan(trained.logLossOfBaseRate * 0.6)
  })

  test('of flights that tell nothing is refused, with the reason where SageMaker looks for it', async () => {
    const line = (day: number, delay: number) => `UA,EWR,IAH,2013-01-0${day}T10:15:00Z,1400,2,${delay}`
    const csv = [[...FEATURES, 'arrivalDelayMinutes'].join(','), line(1, 0), line(2, 3)].join('\n')
    const training = trainModel({ csv, rows: 2 }, directory(), quietly)
    await expect(training).rejects.toThrow(/the training has failed \(exit code 1\)/)
    expect(await readFile(path.join(directory(), 'output/failure'), 'utf8')).toMatch(/all late or all in time/)
  })
})

test('hours and weekdays are those of New York, in summer and in winter', async () => {
  const instants = ['2013-01-01T04:30:00Z', '2013-07-01T03:30:00.000Z', '2013-07-01 04:30:00']
  const print = `import sys; from flight_delay.features import local_hour
print([list(local_hour(at)) for at in sys.argv[1:]])`
  const python = spawn(await modelPython(quietly), ['-c', print, ...instants], { env: modelEnvironment(folder) })
  // Mondays are 0: on the last evening of 2012, on a Sunday evening, and an hour later, at midnight.
  expect(JSON.parse(await text(python.stdout))).toEqual([
    [23, 0],
    [23, 6],
    [0, 0],
  ])
})

describe('the commands', () => {
  test(
    'train on a month, serve, score by what serve has printed, and end with SIGTERM',
    async () => {
      const dir = path.join(directory(), 'model')
      const train = await inlet(['model', 'train', '--dir', dir, '--json'])
      expect(train).toMatchObject({ code: 0 })
      expect(JSON.parse(train.stdout)).toMatchObject({
        version: trained.version,
        archive: path.join(dir, 'model.tar.gz'),
      })
      const serve = startInlet(['model', 'serve', '--dir', dir], {})
      const [printed] = (await once(serve.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
      const url = /^export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=(?<url>http:\/\/127\.0\.0\.1:\d+)\n$/.exec(
        printed.toString(),
      )
      expect((await fetch(`${url?.groups?.['url']}/ping`)).status).toBe(200)
      const lake = path.join(directory(), 'lake')
      const run = ['run', 'functions/flights/scored.ts', '--events', EVENTS, '--lake', lake, '--json']
      const scored = await inlet(run, '', { AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: url?.groups?.['url'] as string })
      expect(JSON.parse(scored.stdout)).toMatchObject({
        rows: 27_004,
        scores: { scored: 26_483, unscored: 0, waiting: 0 },
      })
      serve.kill('SIGTERM')
      expect(await once(serve, 'exit')).toEqual([0, null])
      await expect(fetch(`${url?.groups?.['url']}/ping`)).rejects.toThrow(/fetch failed/)
    },
    PATIENCE_MS,
  )

  test('say what is missing', async () => {
    const none = await inlet(['model', 'serve', '--dir', directory()])
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/there is no model in .*inlet model train/) as string,
    })
    const other = await inlet(['model', 'train', 'test/helpers/sensors.ts'])
    expect(other).toMatchObject({ code: 2, stderr: expect.stringMatching(/no model is made for "sensors"/) as string })
    const both = await inlet(['model', 'train', '--lake', 'x', '--events', EVENTS])
    expect(both).toMatchObject({ code: 2, stderr: expect.stringMatching(/--lake or --events, not both/) as string })
  })
})

test('hadolint has nothing against the image', async () => {
  const linters = await InfrastructureLinters.open()
  expect(linters.image(path.join(projectRoot, 'infra/sagemaker/Containerfile'))).toBe('')
})

describe('the container', () => {
  const ROWS = [
    ['UA', 'EWR', 'IAH', '2013-01-01T10:15:00.000Z', 1400, 2],
    // What was never seen is weighed by what is known of the rest.
    ['ZZ', 'JFK', 'XXX', '2013-07-04T22:00:00+02:00', 100, 50],
  ] as const
  const csv = ROWS.map((row) => row.join(',')).join('\n')
  const post = (type: string, body: string, headers = {}, to = '/invocations') =>
    fetch(`${model.url}${to}`, { method: 'POST', body, headers: { 'content-type': type, ...headers } })

  test('answers pings, and each format with the same predictions', async () => {
    expect((await fetch(`${model.url}/ping`)).status).toBe(200)
    const expected = await offline(ROWS)
    expect(expected[0]).toBeLessThan(expected[1] as number)
    const inCsv = await post('text/csv', csv)
    expect(inCsv.headers.get('x-amzn-sagemaker-custom-attributes')).toBe(`model-version=${trained.version}`)
    expect((await inCsv.text()).trimEnd().split('\n').map(Number)).toEqual(expected)
    const named = ROWS.map((row) => Object.fromEntries(row.map((value, i) => [FEATURES[i], value])) as object)
    for (const instances of [ROWS, named]) {
      const inJson = await post('application/json', JSON.stringify({ instances }))
      expect(await inJson.json()).toEqual({ predictions: expected })
      const lines = instances.map((row) => JSON.stringify(row)).join('\n')
      const inLines = await post('application/jsonlines', lines, { accept: 'text/csv' })
      expect((await inLines.text()).trimEnd().split('\n').map(Number)).toEqual(expected)
    }
  })

  test('says which row is wrong, and predicts none of the others', async () => {
    const said = async (type: string, body: string, headers = {}) => {
      const response = await post(type, body, headers)
      return `${response.status} ${await response.text()}`
    }
    expect(await said('text/csv', `${csv}\nUA,EWR,IAH,yesterday,1400,2`)).toMatch(/^400 row 3: scheduledAt/)
    expect(await said('text/csv', 'UA,EWR,IAH')).toMatch(/^400 row 1: expected carrier/)
    for (const delay of ['', 'NaN', 'inf', 'late'])
      expect(await said('text/csv', `UA,EWR,IAH,2013-01-01T10:15:00Z,1400,${delay}`)).toMatch(
        /^400 row 1: departureDelay/,
      )
    expect(await said('application/json', '[[true')).toMatch(/^400 /)
    expect(await said('application/json', '[["UA","EWR","IAH","2013-01-01T10:15:00Z",true,2]]')).toMatch(
      /^400 row 1: dist/,
    )
    expect(await said('application/xml', csv)).toMatch(/^415 /)
    expect(await said('text/csv', csv, { accept: 'image/png' })).toMatch(/^406 /)
  })

  test('on this machine stands behind what SageMaker answers for it', async () => {
    const [good, bad, other] = await Promise.all([
      post('text/csv', csv, {}, '/endpoints/flight-delay/invocations'),
      post('text/csv', 'nonsense', {}, '/endpoints/flight-delay/invocations'),
      post('text/csv', csv, {}, '/endpoints/another/invocations'),
    ])
    expect([good.status, good.headers.get('x-amzn-invoked-production-variant')]).toEqual([200, 'AllTraffic'])
    expect([bad.status, bad.headers.get('x-amzn-errortype')]).toEqual([424, 'ModelError'])
    expect(await bad.json()).toMatchObject({ OriginalStatusCode: 400 })
    expect([other.status, other.headers.get('x-amzn-errortype')]).toEqual([400, 'ValidationError'])
  })

  test('one poisoned row has no score, and its neighbours have theirs', async () => {
    const events = await manyFlights(500)
    const lake = path.join(directory(), 'lake')
    // Not an instant, which only the model finds out.
    const features = ({ tailNumber }: { tailNumber: string }) => [
      'UA',
      'EWR',
      'IAH',
      tailNumber === 'N668DN' ? 'yesterday' : '2013-01-01T10:15:00Z',
      1400,
      2,
    ]
    const run = await runPipeline(scoredFlightsWith({ features }), { events: [events], lake, partitions: 1 })
    const sql = 'SELECT tailNumber, count(*)::INT FROM flights_scored WHERE delayScore IS NULL GROUP BY 1'
    const { rows } = await answerSql(sql, openStore(lake))
    expect(rows).toEqual([['N668DN', expect.any(Number)]])
    const poisoned = rows[0]?.[1] as number
    expect(run.scores).toMatchObject({ scored: 500 - poisoned, unscored: poisoned, waiting: 0 })
  })
})
