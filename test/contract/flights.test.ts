import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { flights } from '#functions/flights/pipeline.ts'
import { compileRecordPath } from '#shared/pipeline/record-path.ts'
import { readValueFile } from '#shared/sources/value-file.ts'
import { type FlightEvent, sampleFiles, sourceFlights } from '#test/helpers/flights-events.ts'

const FOLDER = new URL('../../events/flights/', import.meta.url)
const read = (name: string): string => {
  const content = readFileSync(new URL(name, FOLDER))
  return (name.endsWith('.gz') ? gunzipSync(content) : content).toString('utf8')
}

/** Rows of January by the flow that a Lambda function runs, without the lake. */
function januaryRows(): { event: FlightEvent; row: Record<string, unknown> }[] {
  const recordPath = compileRecordPath(flights)
  const { values } = readValueFile(Buffer.from(read('2013-01.ndjson.gz')), 1)
  return values.map((value, offset) => {
    const at = { topic: 'flights', partition: 0, offset, timestamp: 0, timestampType: 'CREATE_TIME' } as const
    const outcome = recordPath({ ...at, key: null, value, headers: [] })
    if (outcome.kind !== 'written' || outcome.rows.length !== 1)
      throw new Error(`line ${offset + 1}: ${JSON.stringify(outcome)}`)
    return { event: JSON.parse(Buffer.from(value).toString('utf8')), row: outcome.rows[0]?.row ?? {} }
  })
}

describe('January 2013', () => {
  const rows = januaryRows()
  const sum = (column: string): number => rows.reduce((total, { row }) => total + Number(row[column] ?? 0), 0)
  const count = (holds: (row: Record<string, unknown>) => boolean): number =>
    rows.filter(({ row }) => holds(row)).length

  // The numbers are those of the source's CSV, taken with another tool.
  test('has the flights, miles, delays and cancellations of the source', () => {
    expect(rows).toHaveLength(27_004)
    expect(sum('distanceMiles')).toBe(27_188_805)
    expect(sum('departureDelayMinutes')).toBe(265_801)
    expect(sum('arrivalDelayMinutes')).toBe(161_819)
    expect(sum('airTimeMinutes')).toBe(4_070_239)
    expect(count((row) => row['cancelled'] === true)).toBe(521)
    expect(count((row) => row['tailNumber'] === null)).toBe(155)
    expect(count((row) => row['arrivalTime'] === null)).toBe(536)
    expect(count((row) => row['arrivalTime'] === '00:00')).toBe(11)
    expect(count((row) => row['arrivalDelayMinutes'] === null)).toBe(27_004 - 26_398)
    expect(['EWR', 'JFK', 'LGA'].map((origin) => count((row) => row['origin'] === origin))).toEqual([9893, 9161, 7950])
  })

  test('in New York, each flight was scheduled and departed when its event says', () => {
    const clock = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'America/New_York',
      dateStyle: 'short',
      timeStyle: 'short',
    })
    const show = (instant: unknown): string => clock.format(instant as Date).replace(' ', 'T')
    const shown = rows.map(({ row: { scheduledAt, departedAt } }) => {
      return [show(scheduledAt), departedAt === null ? null : show(departedAt).slice(11)]
    })
    expect(shown).toEqual(rows.map(({ event }) => [event.scheduledDeparture, event.departureTime]))
  })
})

const source = sourceFlights()
const describeSource = source === undefined ? describe.skip : describe

describeSource('the sample files', () => {
  test('are what the script makes of the source', () => {
    const made = sampleFiles(source ?? [])
    expect(Object.fromEntries([...made.keys()].map((name) => [name, read(name) === made.get(name)]))).toEqual({
      '2013-01.ndjson.gz': true,
      'batch.json': true,
      'two-partitions.json': true,
      'poison-json.json': true,
      'contract-violation.json': true,
      'tombstone.json': true,
    })
  })
})
