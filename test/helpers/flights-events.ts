/**
 * Writes the sample events of events/flights from the flights that left New York in 2013 (see events/README.md):
 * `node test/helpers/flights-events.ts`. The same source gives the same content.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { newYorkInstant } from '#functions/flights/new-york-time.ts'

const SOURCE = new URL('../../../shared/data/nycflights13-flights.csv.gz', import.meta.url)
const FOLDER = new URL('../../events/flights/', import.meta.url)
const MS_PER_MINUTE = 60_000
const TOPIC = 'flights'
const PARTITIONS = 2
/** Between one noon in New York and the next lies the night in which its clocks went forward. */
const [FROM, TO] = ['2013-03-09T12:00', '2013-03-10T12:00']
/** How long before its departure a flight is cancelled: the source does not say. */
const CANCELLED_AHEAD_MINUTES = 12 * 60

/** A line of the source: its columns as text, `NA` where there is no value. */
export type SourceFlight = Readonly<Record<string, string>>

/** The event of a flight, as its airline would publish it. */
export type FlightEvent = ReturnType<typeof eventOf>

/**
 * The flights of the source in its order; undefined when the source is not there, which is told on the error output.
 * @throws Error in continuous integration, where it has to be there
 */
export function sourceFlights(): SourceFlight[] | undefined {
  if (!existsSync(SOURCE)) {
    if (process.env['CI'] === 'true') throw new Error(`${SOURCE.pathname} has to be there in continuous integration`)
    process.stderr.write(`NOT CHECKED against the source: ${SOURCE.pathname} is not there\n`)
    return undefined
  }
  const [header = '', ...lines] = gunzipSync(readFileSync(SOURCE)).toString('utf8').trimEnd().split('\n')
  const columns = header.split(',')
  return lines.map((line) => {
    const values = line.split(',')
    return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? '']))
  })
}

export function eventOf(flight: SourceFlight) {
  const text = (column: string): string => flight[column] ?? ''
  const number = (column: string): number => Number(text(column))
  const known = <T>(column: string, as: (column: string) => T): T | null => (text(column) === 'NA' ? null : as(column))
  /** 517 is 05:17; the end of a day, 2400, is the midnight that begins the next. */
  const clock = (column: string): string => {
    const digits = String(number(column) % 2400).padStart(4, '0')
    return `${digits.slice(0, 2)}:${digits.slice(2)}`
  }
  const date = [text('year'), text('month').padStart(2, '0'), text('day').padStart(2, '0')].join('-')
  return {
    carrier: text('carrier'),
    flight: number('flight'),
    tailNumber: known('tailnum', text),
    origin: text('origin'),
    destination: text('dest'),
    scheduledDeparture: `${date}T${clock('sched_dep_time')}`,
    departureTime: known('dep_time', clock),
    departureDelayMinutes: known('dep_delay', number),
    scheduledArrivalTime: clock('sched_arr_time'),
    arrivalTime: known('arr_time', clock),
    arrivalDelayMinutes: known('arr_delay', number),
    airTimeMinutes: known('air_time', number),
    distanceMiles: number('distance'),
  }
}

/** One record of a delivery: a flight, and what is not as it should be about its event. */
interface Sample {
  /** Carrier and flight number. */
  readonly flight: string
  /** What the producer sent instead of the event's JSON; null is a tombstone, undefined a value that is left out. */
  readonly value?: (event: FlightEvent) => string | Uint8Array | null | undefined
  readonly hasKey?: boolean
  readonly headers?: readonly (readonly [name: string, value: Uint8Array])[]
}

const whole = (...names: string[]): Sample[] => names.map((flight) => ({ flight }))
const changed = (flight: string, changes: Readonly<Record<string, unknown>>): Sample => {
  return { flight, value: (event) => JSON.stringify({ ...event, ...changes }) }
}

/** Consecutive deliveries of one trigger. */
const DELIVERIES: Readonly<Record<string, readonly Sample[]>> = {
  'batch.json': [
    ...whole('9E3650', 'B6143', 'AA695', 'US1973', 'FL354'),
    ...whole('EV4581', 'VX27', 'UA528', 'AA1613', 'DL1043'),
  ],
  'two-partitions.json': [
    ...whole('B622', 'UA1244', 'B6128', 'B6739', 'EV5716'),
    ...whole('B6104', 'UA1071', 'B639', 'B61018', 'US1113'),
  ],
  'poison-json.json': [
    ...whole('EV4354'),
    { flight: 'US829', value: (event) => JSON.stringify(event).slice(0, 200) },
    ...whole('US1019'),
    { flight: 'US1153', value: (event) => Buffer.from(JSON.stringify({ ...event, remark: 'équipage' }), 'latin1') },
    ...whole('US1598'),
  ],
  'contract-violation.json': [
    ...whole('DL1743'),
    changed('EV5020', { departureDelayMinutes: '-4' }),
    changed('B679', { distanceMiles: undefined }),
    changed('B6371', { carrier: 'JetBlue' }),
    // A field that the contract does not know yet is no violation.
    changed('AA303', { gate: 'D4' }),
    changed('UA543', { scheduledDeparture: '2013-03-10T06:00Z' }),
    changed('EV3809', { origin: 'GSO', destination: 'EWR' }),
    changed('EV3255', { scheduledDeparture: '2013-03-10T02:47' }),
    changed('B6145', { departureDelayMinutes: null }),
    { flight: 'B6507', value: (event) => JSON.stringify([event]) },
    ...whole('EV4267'),
  ],
  'tombstone.json': [
    ...whole('UA620'),
    { flight: 'AA1838', value: () => null },
    { flight: '9E4051', value: () => undefined },
    {
      flight: 'UA883',
      value: () => '',
      headers: [
        ['dispatcher', Buffer.from('Zoë Núñez', 'utf8')],
        ['trace', Buffer.from('80fe7f00ff', 'hex')],
        ['trace', Buffer.alloc(0)],
      ],
    },
    { flight: 'WN112', hasKey: false },
    ...whole('MQ3737'),
  ],
}

/** The content of each file of events/flights that comes from the source, by name; what ends in .gz is still to be packed. */
export function sampleFiles(flights: readonly SourceFlight[]): Map<string, string> {
  const january = flights.filter(({ year, month }) => year === '2013' && month === '1')
  const lines = january.map((flight) => `${JSON.stringify(eventOf(flight))}\n`).join('')
  return new Map([['2013-01.ndjson.gz', lines], ...deliveries(flights)])
}

function deliveries(flights: readonly SourceFlight[]): [name: string, content: string][] {
  const events = flights.filter(({ month }) => month === '3').map(eventOf)
  const inTime = events.filter(({ scheduledDeparture: at }) => at >= FROM && at < TO)
  const logs = Array.from({ length: PARTITIONS }, () => ({ offset: 0, timestamp: 0 }))
  return Object.entries(DELIVERIES).map(([name, samples]) => {
    const groups = new Map<string, string[]>()
    for (const sample of samples) {
      const [event, another] = inTime.filter(({ carrier, flight }) => `${carrier}${flight}` === sample.flight)
      if (event === undefined || another !== undefined) throw new Error(`${sample.flight} does not name one flight`)
      const partition = partitionOfKey(Buffer.from(sample.flight), PARTITIONS)
      const log = logs[partition] as (typeof logs)[number]
      const timestamp = publishedAt(event)
      if (timestamp < log.timestamp) throw new Error(`${name}: ${sample.flight} ended before the flight ahead of it`)
      const record = { topic: TOPIC, partition, offset: log.offset, timestamp, ...contentOf(sample, event) }
      Object.assign(log, { offset: log.offset + 1, timestamp })
      const group = `${TOPIC}-${partition}`
      groups.set(group, [...(groups.get(group) ?? []), JSON.stringify(record)])
    }
    return [name, mskEvent(groups)]
  })
}

/** An event is published when its flight is over, or cancelled. */
function publishedAt({ scheduledDeparture, departureDelayMinutes, airTimeMinutes }: FlightEvent): number {
  const minutes =
    departureDelayMinutes === null ? -CANCELLED_AHEAD_MINUTES : departureDelayMinutes + (airTimeMinutes ?? 0)
  return newYorkInstant(scheduledDeparture).getTime() + minutes * MS_PER_MINUTE
}

/** The rest of a record in Lambda's form: base64, and header bytes as Java has them, −128 to 127. */
function contentOf(
  { flight, value = (event) => JSON.stringify(event), hasKey = true, headers }: Sample,
  event: FlightEvent,
) {
  const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString('base64')
  const sent = value(event)
  return {
    timestampType: 'CREATE_TIME',
    key: hasKey ? base64(flight) : null,
    ...(sent === undefined ? {} : { value: sent === null ? null : base64(sent) }),
    headers: (headers ?? [['content-type', Buffer.from('application/json')] as const]).map(([name, bytes]) => {
      return { [name]: [...new Int8Array(bytes)] }
    }),
  }
}

/** One record a line, so that a change shows as the record it changes. */
function mskEvent(groups: ReadonlyMap<string, readonly string[]>): string {
  const lists = [...groups].map(([group, records]) => `    "${group}": [\n      ${records.join(',\n      ')}\n    ]`)
  return `{
  "eventSource": "aws:kafka",
  "eventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/flight-operations/6a0b9a2c-3b5e-4a53-9d0e-2f1f0c7d8e11-s1",
  "bootstrapServers": "boot-k3xq7v2m.c1.kafka-serverless.us-east-1.amazonaws.com:9098",
  "records": {
${lists.join(',\n')}
  }
}
`
}

/** The Kafka partition of a key, as Java's producer chooses it (Apache Kafka, `Utils.murmur2`, `toPositive`). */
function partitionOfKey(key: Uint8Array, partitions: number): number {
  const M = 0x5bd1e995
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  const wordsEnd = key.length - (key.length % 4)
  let hash = 0x9747b28c ^ key.length
  for (let i = 0; i < wordsEnd; i += 4) {
    let word = Math.imul(view.getInt32(i, true), M)
    word ^= word >>> 24
    hash = Math.imul(hash, M) ^ Math.imul(word, M)
  }
  for (let i = key.length - 1; i >= wordsEnd; i--) hash ^= view.getUint8(i) << (8 * (i - wordsEnd))
  if (wordsEnd < key.length) hash = Math.imul(hash, M)
  hash = Math.imul(hash ^ (hash >>> 13), M)
  hash ^= hash >>> 15
  return (hash & 0x7fffffff) % partitions
}

if (import.meta.main) {
  const flights = sourceFlights()
  if (flights === undefined) process.exit(1)
  mkdirSync(FOLDER, { recursive: true })
  for (const [name, content] of sampleFiles(flights)) {
    // Node writes no time into the header of a gzip file.
    const body = name.endsWith('.gz') ? gzipSync(content, { level: 9 }) : content
    writeFileSync(new URL(name, FOLDER), body)
    process.stdout.write(`${name}: ${body.length} bytes\n`)
  }
}
