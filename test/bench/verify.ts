/**
 * What it takes to prove a lake of ten million rows: once in a hundred large commits, once in a hundred thousand small
 * ones. Prints time and the peak of memory of `inlet verify`, with and without --deep. Run: node test/bench/verify.ts
 * --rows takes another number of rows, --json prints JSON.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { formatBytes, formatCount } from '#shared/cli/progress.ts'
import { textTable } from '#shared/cli/text-table.ts'
import type { Verification } from '#shared/lake/verify.ts'
import { buildLake, type LakeShape } from '#test/helpers/large-lake.ts'
import { inletWithPeak } from '#test/helpers/peak-memory.ts'
import { inTemporaryDirectory } from '#test/helpers/temporary-directory.ts'

interface Measurement {
  readonly shape: string
  readonly deep: boolean
  readonly rows: number
  readonly commits: number
  readonly files: number
  readonly bytes: number
  readonly seconds: number
  readonly peakBytes: number
}

const { values: options } = parseArgs({ options: { rows: { type: 'string' }, json: { type: 'boolean' } } })
const rows = Number(options.rows ?? 10_000_000)

const SHAPES: Readonly<Record<string, LakeShape>> = {
  'large commits': { partitions: 4, commits: 100, records: rows },
  'small commits': { partitions: 4, commits: Math.min(100_000, rows), records: rows },
}

async function measure(lake: string, shape: string, deep: boolean): Promise<Measurement> {
  const started = performance.now()
  const { code, stdout, peakBytes } = await inletWithPeak([
    'verify',
    '--json',
    '--lake',
    lake,
    ...(deep ? ['--deep'] : []),
  ])
  const seconds = (performance.now() - started) / 1000
  if (code !== 0) throw new Error(`verify ended with ${String(code)}: ${stdout.slice(0, 1000)}`)
  const { counts, commits, files, bytes } = JSON.parse(stdout) as Verification
  if (counts.records !== rows) throw new Error(`${counts.records} records were found, not ${rows}`)
  return { shape, deep, rows: counts.rows, commits, files, bytes, seconds, peakBytes }
}

const measurements: Measurement[] = []
for (const [name, shape] of Object.entries(SHAPES)) {
  await inTemporaryDirectory(async (directory) => {
    await buildLake(directory, shape)
    for (const deep of [false, true]) measurements.push(await measure(directory, name, deep))
  })
}

if (options.json === true) process.stdout.write(`${JSON.stringify(measurements)}\n`)
else {
  const cells = measurements.map((one) => [
    one.shape,
    one.deep ? 'verify --deep' : 'verify',
    formatCount(one.rows),
    formatCount(one.commits),
    formatCount(one.files),
    formatBytes(one.bytes),
    one.seconds.toFixed(1),
    formatBytes(one.peakBytes),
  ])
  const head = ['lake', 'command', 'rows', 'commits', 'files', 'bytes', 'seconds', 'peak memory']
  process.stdout.write(`${textTable(head, cells)}\n`)
}
