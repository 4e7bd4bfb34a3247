import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { verifyLake } from '#shared/lake/verify.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { inlet, projectRoot } from '#test/helpers/command.ts'
import { tableDigest } from '#test/helpers/lake-digest.ts'
import { Random } from '#test/helpers/simulation/random.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const KILLS = 200
/** The first of a month of flights: enough for a run to write longer than it takes to start. */
const RECORDS = 6000
const MINUTES = 60_000

const directory = temporaryDirectory()

const argumentsFor = (lake: string): string[] => [
  'run',
  'flights',
  '--events',
  path.join(directory(), 'flights.ndjson'),
  '--batch',
  '300',
  '--lake',
  lake,
]

/** Starts the local runner and kills it after so many milliseconds. @returns whether it had ended by itself */
async function runAndKill(lake: string, milliseconds: number): Promise<boolean> {
  const argv = ['shared/cli/inlet.ts', ...argumentsFor(lake)]
  const env = { ...process.env, NODE_OPTIONS: '' }
  const child = spawn(process.execPath, argv, { cwd: projectRoot, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const alarm = new AbortController()
  void sleep(milliseconds, undefined, { signal: alarm.signal }).then(
    () => child.kill('SIGKILL'),
    () => {},
  )
  const [code, signal] = await ended
  alarm.abort()
  if (signal === null && code !== 0) throw new Error(`the run failed with ${code}: ${said}`)
  return signal === null
}

test(
  `the local runner is killed ${KILLS} times at random moments and started again: the table is that of a clean run`,
  async () => {
    const random = new Random(20_261_123)
    const month = gunzipSync(await readFile(path.join(projectRoot, 'events/flights/2013-01.ndjson.gz'))).toString()
    await writeFile(path.join(directory(), 'flights.ndjson'), month.split('\n').slice(0, RECORDS).join('\n'))
    const clean = path.join(directory(), 'clean')
    const begun = performance.now()
    expect(await inlet(argumentsFor(clean))).toMatchObject({ code: 0 })
    const duration = performance.now() - begun
    const expected = await tableDigest(clean, 'flights')

    const lake = path.join(directory(), 'killed')
    let [kills, lakes, halfway] = [0, 0, 0]
    const proofs: (number | null)[] = []
    while (kills < KILLS) {
      // Most of a run is its start: kills are spread over the part in which it writes. The last run may come to its end.
      while (!(await runAndKill(lake, kills < KILLS ? duration * (0.25 + random.next() * 0.75) : MINUTES))) kills += 1
      lakes += 1
      expect(await tableDigest(lake, 'flights')).toEqual(expected)
      const { faults, orphans, counts } = await verifyLake(openStore(lake), { deep: true })
      expect({ faults, records: counts.records }).toEqual({ faults: [], records: RECORDS })
      halfway += orphans.length > 0 ? 1 : 0
      if (kills >= KILLS) proofs.push((await inlet(['verify', '--deep', '--lake', lake])).code)
      await rm(lake, { recursive: true, force: true })
    }
    // Kills between a data file and its commit have really happened.
    expect({ lakes: lakes > 5, halfway: halfway > 0, proofs }).toEqual({ lakes: true, halfway: true, proofs: [0] })
  },
  25 * MINUTES,
)
