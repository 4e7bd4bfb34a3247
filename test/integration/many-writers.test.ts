import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot } from '#test/helpers/command.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'
import { inletProcesses, type Outcome, outcomeOf } from '#test/helpers/inlet-process.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const EVENTS = 'events/flights/2013-01.ndjson.gz'
const BATCHES = [700, 901, 1300, 1777, 2000, 3000, 4321, 9000]
const MINUTES = 60_000

const directory = temporaryDirectory()
const start = inletProcesses()
const faulty = faultyS3()

/** A process that races with as many others as there are batch sizes: see `racing-writer.ts`. */
const RACER = ['--import', pathToFileURL(path.join(projectRoot, 'test/helpers/racing-writer.ts')).href]

function inlet(args: readonly string[], nodeOptions: readonly string[] = []): Promise<Outcome> {
  const race = { RACE_FOLDER: path.join(directory(), 'race'), RACERS: `${BATCHES.length}` }
  return outcomeOf(start(args, { ...faulty.s3.environment(), ...race }, nodeOptions))
}

const QUESTION = `SELECT count(*)::INT AS rows, count(DISTINCT (_kafka_partition, _offset))::INT AS records,
  bit_xor(hash(t))::VARCHAR AS digest FROM flights AS t`

test.each([
  ['a directory', () => path.join(directory(), 'lake')],
  ['S3', () => faulty.url],
])(
  'eight processes at once on the same input, each with other batch boundaries, on %s: each record once',
  async (_, url) => {
    const lake = ['--lake', url()]
    const run = (batch: number): Promise<Outcome> =>
      inlet(['run', 'flights', '--events', EVENTS, '--batch', `${batch}`, '--json', ...lake], RACER)
    const ends = await Promise.all(BATCHES.map(run))
    expect(ends.filter(({ end }) => end !== 'ok')).toEqual([])
    const written = ends.map(({ printed }) => (JSON.parse(printed) as { written: number }).written)
    expect(written.reduce((sum, each) => sum + each, 0)).toBe(27_004)
    // They have really raced: no one did all of it.
    expect(written.filter((each) => each > 0).length).toBeGreaterThan(1)

    const alone = path.join(directory(), 'alone')
    expect(await inlet(['run', 'flights', '--events', EVENTS, '--lake', alone])).toMatchObject({ end: 'ok' })
    const answers = await Promise.all(
      [lake, ['--lake', alone]].map((which) => inlet(['query', QUESTION, '--json', ...which])),
    )
    expect(answers[0]?.printed).toBe(answers[1]?.printed)
    expect(JSON.parse(answers[0]?.printed ?? '')).toMatchObject([{ rows: 27_004, records: 27_004 }])
    expect(await inlet(['verify', '--deep', ...lake])).toMatchObject({ end: 'ok' })
  },
  5 * MINUTES,
)
