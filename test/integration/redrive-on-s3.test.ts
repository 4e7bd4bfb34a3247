import type { ChildProcess } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { S3Store } from '#shared/lake/s3-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { faultyS3 } from '#test/helpers/faulty-s3.ts'
import { endOf, inletProcesses, outcomeOf } from '#test/helpers/inlet-process.ts'
import { openIn, timeless } from '#test/helpers/mending-sensors.ts'
import { originsIn } from '#test/helpers/sensor-records.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const start = inletProcesses()

// Behind the hook above: no command may be waiting for an answer when the proxy closes.
const faulty = faultyS3()

const lakeUrl = (): string => `${faulty.url}/lake`
const failedUrl = (): string => `${faulty.url}/failed`
const storeOf = (url: string): S3Store => new S3Store(url, { client: faulty.s3.client() })

function inlet(args: readonly string[], endpoint = faulty.s3.endpoint): ChildProcess {
  return start([...args, '--lake', lakeUrl()], faulty.s3.environment(endpoint))
}

/** 100 records in ten commits; every third misses its time, and one of them is no JSON. */
const VALUES = Array.from({ length: 100 }, (_, i) => (i === 50 ? '{' : i % 3 === 0 ? timeless(1) : reading(1)))
const ROWS = VALUES.flatMap((value, i) => (value === '{' ? [] : [`0@${i}.0`])).sort()

beforeEach(async () => {
  const events = path.join(directory(), 'values.ndjson')
  await writeFile(events, VALUES.join('\n'))
  const run = ['run', 'test/helpers/sensors.ts', '--events', events, '--partitions', '1', '--batch', '10']
  const end = await endOf(inlet(run))
  if (end !== 'ok') throw new Error(end)
})

const REDRIVE = ['dead-letters', 'redrive', 'test/helpers/mending-sensors.ts', '--json']

test.each([
  ['before', 1],
  ['after', 3],
] as const)(
  'a redrive that is killed %s its amendment %i is put, and two at once behind it: each record once',
  async (when, fatal) => {
    let amendments = 0
    const victim = inlet(REDRIVE, faulty.proxy.endpoint)
    faulty.proxy.plan = ({ headers }) => {
      if (headers['if-none-match'] !== '*' || ++amendments !== fatal) return undefined
      victim.kill('SIGKILL')
      return when === 'before' ? 'closeBefore' : 'closeAfter'
    }
    expect(await endOf(victim)).toBe('SIGKILL')
    expect((await openIn(storeOf(lakeUrl()))).length).toBeGreaterThan(1)

    const both = await Promise.all([inlet(REDRIVE), inlet(REDRIVE)].map(outcomeOf))
    expect(both.map(({ end }) => end)).toEqual(['ok', 'ok'])
    expect(await openIn(storeOf(lakeUrl()))).toEqual(['0/0@50'])
    expect(await originsIn(storeOf(lakeUrl()), 'sensors')).toEqual(ROWS)
    expect((await verifyLake(storeOf(lakeUrl()), { deep: true })).faults).toEqual([])
  },
  60_000,
)

test('a condition in SQL, and failed batches, which are gone when they have landed', async () => {
  const some = await outcomeOf(inlet([...REDRIVE, '--where', '_offset < 50']))
  expect(some.end).toBe('ok')
  expect(JSON.parse(some.printed)).toMatchObject({ found: 17, written: 17 })
  for (const offset of [0, 5]) {
    const { key, body } = failedBatch(sensorEvent([reading(1), '{'], 7, offset))
    await storeOf(failedUrl()).put(key, Buffer.from(body))
  }
  const batches = await outcomeOf(inlet([...REDRIVE, '--failure-destination', failedUrl()]))
  expect(batches.end).toBe('ok')
  expect(JSON.parse(batches.printed)).toMatchObject({ found: 4, written: 2, rejected: 2 })
  expect(await keysOf(storeOf(failedUrl()), '')).toEqual([])
  const again = await outcomeOf(inlet([...REDRIVE, '--failure-destination', failedUrl()]))
  expect(JSON.parse(again.printed)).toMatchObject({ found: 0 })
  expect((await verifyLake(storeOf(lakeUrl()), { deep: true })).faults).toEqual([])
}, 60_000)
