import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import process from 'node:process'
import { projectRoot } from '#test/helpers/command.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const EVENTS = 'events/flights/2013-01.ndjson.gz'
const BATCHES = [700, 901, 1300, 1777, 2000, 3000, 4321, 9000]
const MINUTES = 60_000

const directory = temporaryDirectory()
const faulty = faultyS3()

interface End {
  readonly code: number | null
  readonly said: string
  readonly printed: string
}

async function inlet(...args: string[]): Promise<End> {
  const env = { PATH: process.env['PATH'], ...faulty.s3.environment(faulty.s3.endpoint) }
  const argv = [path.join(projectRoot, 'shared/cli/inlet.ts'), ...args]
  const child = spawn(process.execPath, argv, { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [printed, said] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said, printed }
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
    const run = (batch: number): Promise<End> =>
      inlet('run', 'flights', '--events', EVENTS, '--batch', `${batch}`, '--json', ...lake)
    const ends = await Promise.all(BATCHES.map(run))
    expect(ends.filter(({ code }) => code !== 0)).toEqual([])
    const written = ends.map(({ printed }) => (JSON.parse(printed) as { written: number }).written)
    expect(written.reduce((sum, each) => sum + each, 0)).toBe(27_004)
    // They have really raced: no one did all of it.
    expect(written.filter((each) => each > 0).length).toBeGreaterThan(1)

    const alone = path.join(directory(), 'alone')
    expect(await inlet('run', 'flights', '--events', EVENTS, '--lake', alone)).toMatchObject({ code: 0 })
    const answers = await Promise.all(
      [lake, ['--lake', alone]].map((which) => inlet('query', QUESTION, '--json', ...which)),
    )
    expect(answers[0]?.printed).toBe(answers[1]?.printed)
    expect(JSON.parse(answers[0]?.printed ?? '')).toMatchObject([{ rows: 27_004, records: 27_004 }])
    expect(await inlet('verify', '--deep', ...lake)).toMatchObject({ code: 0 })
  },
  5 * MINUTES,
)
