import type { ChildProcess } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { S3Store } from '#shared/lake/s3-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'
import { endOf, inletProcesses, outcomeOf } from '#test/helpers/inlet-process.ts'
import { originsIn, sensorRecords } from '#test/helpers/sensor-records.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const start = inletProcesses()

// Behind the hook above: no command may be waiting for an answer when the proxy closes.
const faulty = faultyS3()

const url = (): string => faulty.url

function inlet(endpoint: string, ...args: string[]): ChildProcess {
  return start(args, faulty.s3.environment(endpoint))
}

test.each([
  ['before', 1],
  ['after', 1],
  ['after', 5],
] as const)(
  'a run that is killed %s its commit %i is put, and two at once behind it: each record once',
  async (when, fatal) => {
    const records = sensorRecords(300, new Random(fatal))
    const events = path.join(directory(), 'values.ndjson')
    await writeFile(events, records.values.join('\n'))
    const fixed = ['run', 'test/helpers/sensors.ts', '--events', events, '--partitions', '1', '--lake', url()]
    const run = (batch: number, endpoint = faulty.s3.endpoint): ChildProcess =>
      inlet(endpoint, ...fixed, '--batch', `${batch}`)

    let commits = 0
    const victim = run(20, faulty.proxy.endpoint)
    faulty.proxy.plan = ({ headers }) => {
      if (headers['if-none-match'] !== '*' || ++commits !== fatal) return undefined
      victim.kill('SIGKILL')
      return when === 'before' ? 'closeBefore' : 'closeAfter'
    }
    expect(await endOf(victim)).toBe('SIGKILL')
    const store = new S3Store(url(), { client: faulty.s3.client() })
    const left = await verifyLake(store, { deep: true })
    expect(left).toMatchObject({ commits: when === 'before' ? fatal - 1 : fatal, faults: [] })
    expect(left.orphans.length > 0).toBe(when === 'before')

    expect(await Promise.all([run(33), run(50)].map(endOf))).toEqual(['ok', 'ok'])
    expect(await endOf(inlet(faulty.s3.endpoint, 'verify', '--deep', '--lake', url()))).toBe('ok')
    expect(await verifyLake(store, { deep: true })).toMatchObject({ gaps: 0, faults: [], counts: { records: 300 } })
    expect(await originsIn(store, 'sensors')).toEqual([...records.rows].sort())
    expect(await originsIn(store, 'sensors_dead_letters')).toEqual([...records.deadLetters].sort())
  },
  60_000,
)

test('run, query and verify, as on a directory', async () => {
  const { values, rows } = sensorRecords(50, new Random(7))
  const events = path.join(directory(), 'values.ndjson')
  await writeFile(events, values.join('\n'))
  const lake = ['--lake', url()]
  expect(await endOf(inlet(faulty.s3.endpoint, 'run', 'test/helpers/sensors.ts', '--events', events, ...lake))).toBe(
    'ok',
  )
  const sql = 'SELECT count(*)::INT AS n FROM sensors'
  const answer = await outcomeOf(inlet(faulty.s3.endpoint, 'query', sql, '--json', ...lake))
  expect(answer.end).toBe('ok')
  expect(JSON.parse(answer.printed)).toEqual([{ n: rows.length }])
  expect(await endOf(inlet(faulty.s3.endpoint, 'verify', '--deep', ...lake))).toBe('ok')
})

test('a bucket that is not there is a fault of one line', async () => {
  const child = inlet(faulty.s3.endpoint, 'verify', '--lake', 's3://no-such-lake')
  expect(await endOf(child)).toMatch(/^1: .*cannot list s3:\/\/no-such-lake\/.*NoSuchBucket \(404\)[^\n]*\n$/)
})
