import type { Verification } from '#shared/lake/verify.ts'
import { buildLake } from '#test/helpers/large-lake.ts'
import { inletWithPeak } from '#test/helpers/peak-memory.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const COMMITS = 12_000
const RECORDS = 240_000
/** Of JavaScript, in MB: the libraries take 15, and the keys of the data files alone, twice, would take 22. */
const HEAP = 32
/** Of the process, which takes 135 MB: its data files are 140. */
const PEAK = 200_000_000

const directory = temporaryDirectory()

test(`a lake of ${COMMITS} commits and data files is proven within a heap of ${HEAP} MB`, async () => {
  const folders = ['a', 'b', 'c'].map((letter) => `${letter}=${letter.repeat(240)}/`).join('')
  await buildLake(directory(), {
    partitions: 3,
    commits: COMMITS,
    records: RECORDS,
    hasGaps: true,
    payload: 600,
    folders,
  })
  const limits = [`--max-old-space-size=${HEAP}`, '--max-semi-space-size=1']
  const { code, stdout, peakBytes } = await inletWithPeak(['verify', '--deep', '--json', '--lake', directory()], limits)
  const { counts, faults, commits, bytes, checks } = JSON.parse(stdout) as Verification
  expect({ code, commits, records: counts.records, faults }).toEqual({
    code: 0,
    commits: COMMITS,
    records: RECORDS,
    faults: [],
  })
  expect(checks.rows + checks.deadLetters).toBe(RECORDS)
  expect(bytes).toBeGreaterThan(140_000_000)
  expect(peakBytes).toBeLessThan(PEAK)
}, 300_000)
