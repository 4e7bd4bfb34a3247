import { rangeOf, rowsWithin } from '#shared/cli/rescore-range.ts'
import { ScoreChanges } from '#shared/cli/score-changes.ts'
import type { LiveFile } from '#shared/lake/iceberg/table-files.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'

const sensors = locked(scoredSensors())
const noTime: Pipeline = { ...sensors, table: { ...sensors.table, partitionSpec: [] } }
const micros = (time: string): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(Date.parse(time)) * 1000n)
  return bytes
}

/** A file whose statistics say so of a column. */
function file(name: string, lower: Uint8Array, upper: Uint8Array): LiveFile {
  const id = sensors.table.columns.find((column) => column.name === name)?.id as number
  return { lowerBounds: new Map([[id, lower]]), upperBounds: new Map([[id, upper]]) } as unknown as LiveFile
}

const range = { from: '2026-01-05', to: '2026-01-06' }
const [before, first, last, behind] = [
  '2026-01-04T23:59:59.999Z',
  '2026-01-05T00:00:00.000Z',
  '2026-01-05T23:59:59.999Z',
  '2026-01-06T00:00:00.000Z',
]

test.each([
  ['ends before it', before, before, false],
  ['ends as it begins', before, first, true],
  ['is within it', first, last, true],
  ['begins as it ends', last, behind, true],
  ['begins behind it', behind, behind, false],
  ['is around it', before, behind, true],
])('a file that %s', (_where, lower, upper, mayHold) => {
  for (const [pipeline, column] of [
    [sensors, 'at'],
    [noTime, '_timestamp'],
  ] as const) {
    const asked = rangeOf(pipeline, range)
    if (asked === undefined) throw new Error('no range')
    const meant = rowsWithin(asked, pipeline.table, undefined, new ScoreChanges())
    expect(meant.mayHold(file(column, micros(lower), micros(upper)))).toBe(mayHold)
  }
})

test('a file of which nothing is known is looked into, and days are told, too', () => {
  const asked = rangeOf(sensors, range)
  if (asked === undefined) throw new Error('no range')
  const { mayHold } = rowsWithin(asked, sensors.table, undefined, new ScoreChanges())
  expect(mayHold({ lowerBounds: new Map(), upperBounds: new Map() } as unknown as LiveFile)).toBe(true)
  const day = (time: string): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32LE(Date.parse(time) / 86_400_000)
    return bytes
  }
  expect(mayHold(file('at', day('2026-01-05'), day('2026-01-05')))).toBe(true)
  expect(mayHold(file('at', day('2026-01-06'), day('2026-01-07')))).toBe(false)
})
