import { flights } from '#functions/flights/pipeline.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { compileRecordPath } from '#shared/pipeline/record-path.ts'
import { eventOf, sourceFlights } from '#test/helpers/flights-events.ts'

const onTime = {
  carrier: 'UA',
  flight: 1545,
  tailNumber: 'N14228',
  origin: 'EWR',
  destination: 'IAH',
  scheduledDeparture: '2013-01-01T05:15',
  departureTime: '05:17',
  departureDelayMinutes: 2,
  scheduledArrivalTime: '08:19',
  arrivalTime: '08:30',
  arrivalDelayMinutes: 11,
  airTimeMinutes: 227,
  distanceMiles: 1400,
}

const HOUR = 3_600_000

const recordPath = compileRecordPath(flights)
const at = { topic: 'flights', partition: 0, offset: 0, timestamp: 0, timestampType: 'CREATE_TIME' } as const
const recordOf = (event: unknown): KafkaRecord => {
  return { ...at, key: null, value: Buffer.from(JSON.stringify(event)), headers: [] }
}

/** The row of an event, or why there is none. */
function rowOf(event: unknown): Row | string {
  const outcome = recordPath(recordOf(event))
  if (outcome.kind === 'rejected') return `${outcome.rejection.code} ${outcome.rejection.field ?? '-'}`
  if (outcome.kind === 'skipped') return 'skipped'
  return outcome.rows[0]?.row ?? {}
}

test('a flight is a row in instants', () => {
  expect(rowOf(onTime)).toEqual({
    scheduledAt: new Date('2013-01-01T10:15Z'),
    carrier: 'UA',
    flight: 1545,
    tailNumber: 'N14228',
    origin: 'EWR',
    destination: 'IAH',
    cancelled: false,
    departedAt: new Date('2013-01-01T10:17Z'),
    departureDelayMinutes: 2,
    scheduledArrivalTime: '08:19',
    arrivalTime: '08:30',
    arrivalDelayMinutes: 11,
    airTimeMinutes: 227,
    distanceMiles: 1400,
  })
})

test('a cancelled flight is a row', () => {
  const unknown = { arrivalTime: null, arrivalDelayMinutes: null, airTimeMinutes: null, tailNumber: null }
  const event = { ...onTime, ...unknown, departureTime: null, departureDelayMinutes: null }
  expect(rowOf(event)).toMatchObject({ ...unknown, cancelled: true, departedAt: null, departureDelayMinutes: null })
})

test('a flight that departed and was not seen to arrive is not cancelled', () => {
  const diverted = { ...onTime, arrivalTime: null, arrivalDelayMinutes: null, airTimeMinutes: null }
  expect(rowOf(diverted)).toMatchObject({ cancelled: false, departedAt: new Date('2013-01-01T10:17Z') })
})

test('a delay is a length of time, also over the night in which the clocks change', () => {
  const late = { ...onTime, scheduledDeparture: '2013-03-10T01:30', departureTime: '03:30', departureDelayMinutes: 60 }
  expect(rowOf(late)).toMatchObject({ departedAt: new Date('2013-03-10T07:30Z') })
  const early = {
    ...onTime,
    scheduledDeparture: '2013-01-01T00:05',
    departureTime: '23:55',
    departureDelayMinutes: -10,
  }
  expect(rowOf(early)).toMatchObject({ departedAt: new Date('2013-01-01T04:55Z') })
})

test('a field that the contract does not know is left out', () => {
  expect(rowOf({ ...onTime, gate: 'C71' })).toEqual(rowOf(onTime))
})

test.each<[field: keyof typeof onTime, values: readonly unknown[]]>([
  ['carrier', ['U', 'UAL', 'ua', '', null, 16]],
  ['flight', [0, 10_000, 15.45, '1545', null]],
  ['tailNumber', ['', '14228', 'n14228', 'N14228X', 14_228]],
  ['origin', ['BOS', 'jfk', '', null]],
  ['destination', ['IA', 'IAHX', 'iah', 'KIAH', null]],
  [
    'scheduledDeparture',
    ['2013-02-29T05:15', '2013-01-01T24:00', '2013-01-01T5:15', '2013-01-01T05:15Z', '2013-01-01', null],
  ],
  ['scheduledDeparture', ['2013-01-01T05:15:00', '2013-01-01T05:15-05:00', '2013-01-01 05:15']],
  ['departureTime', ['24:00', '5:17', '05:60', '05:17:00', '517', 517]],
  ['departureDelayMinutes', ['2', 2.5, 2 ** 31]],
  ['scheduledArrivalTime', ['24:00', null]],
  ['arrivalTime', ['24:00', '']],
  ['arrivalDelayMinutes', ['NA', 1e10]],
  ['airTimeMinutes', [0, -1, '227']],
  ['distanceMiles', [0, -1, null, 1400.5]],
])('%s refuses what is not its form', (field, values) => {
  const refused = (value: unknown): Row | string => rowOf({ ...onTime, [field]: value })
  expect([...values, undefined].map(refused)).toEqual([...values, undefined].map(() => `EVENT_INVALID ${field}`))
})

test('what the contract cannot say, the transform refuses', () => {
  expect(rowOf({ ...onTime, scheduledDeparture: '2013-03-10T02:15' })).toBe('TRANSFORM_THREW -')
  expect(rowOf({ ...onTime, departureTime: null })).toBe('TRANSFORM_THREW -')
  expect(rowOf({ ...onTime, departureDelayMinutes: null })).toBe('TRANSFORM_THREW -')
})

test('the table has one column per fact, in the types that analysts get', () => {
  const columns = flights.table.columns.filter(({ name }) => !name.startsWith('_'))
  expect(columns.map(({ name, type, nullable }) => `${name} ${type.kind}${nullable ? '?' : ''}`)).toEqual([
    'scheduledAt timestamp',
    'carrier string',
    'flight int32',
    'tailNumber string?',
    'origin string',
    'destination string',
    'cancelled boolean',
    'departedAt timestamp?',
    'departureDelayMinutes int32?',
    'scheduledArrivalTime string',
    'arrivalTime string?',
    'arrivalDelayMinutes int32?',
    'airTimeMinutes int32?',
    'distanceMiles int32',
  ])
  expect(flights.table.partitionSpec).toMatchObject([
    { column: 'scheduledAt', transform: 'day', name: 'scheduledAt_day' },
  ])
})

const source = sourceFlights()
const describeSource = source === undefined ? describe.skip : describe

describeSource('every flight of 2013', () => {
  test('is a row at the hour that the source gives in UTC, and departed when the source says', () => {
    const clock = new Intl.DateTimeFormat('en-GB', { timeZone: 'America/New_York', timeStyle: 'short' })
    const faults: string[] = []
    const record = recordOf(null)
    let departures = 0
    for (const flight of source ?? []) {
      const event = eventOf(flight)
      const row = flights.transform({ value: event as never, record }) as { scheduledAt: Date; departedAt: Date | null }
      const scheduled = row.scheduledAt.getTime()
      if (scheduled - (scheduled % HOUR) !== Date.parse(flight['time_hour'] ?? ''))
        faults.push(`${JSON.stringify(event)} is not in the hour of ${flight['time_hour']}`)
      const departed = row.departedAt === null ? null : clock.format(row.departedAt)
      if (departed !== event.departureTime) faults.push(`${JSON.stringify(event)} departed at ${departed}`)
      if (departed !== null) departures += 1
    }
    expect(faults).toEqual([])
    expect(source).toHaveLength(336_776)
    expect(departures).toBe(336_776 - 8255)
  })
})
