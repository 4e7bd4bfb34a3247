/**
 * Four days of flights as they were: told when they have landed, cancelled ones half a day before they would have left, some told
 * hours late; by carrier over eight Kafka partitions, some of which are silent for most of a day. A clock goes through it in steps;
 * what the scheduler starts is compared with what was known when it did.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { flights as declared } from '#functions/flights/pipeline.ts'
import { newYorkInstant } from '#functions/flights/new-york-time.ts'
import { applyTables, commitTables } from '#shared/lake/pipeline-tables.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { defineCompleteness } from '#shared/pipeline/completeness.ts'
import { type JobSurroundings, runRound } from '#shared/runtimes/job-round.ts'
import { UNKNOWN_TOPIC } from '#shared/runtimes/table-view.ts'
import { clocked } from '#test/helpers/clocked-store.ts'
import { deliver } from '#test/helpers/deliveries.ts'
import type { FlightEvent } from '#test/helpers/flights-events.ts'
import { withJobs } from '#test/helpers/job-lake.ts'
import { MemoryRunner } from '#test/helpers/memory-runner.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEP = 20 * MINUTE
const BEGIN = Date.UTC(2013, 0, 1)
/** Flights of so many days; the clock goes on for a day more. */
const DAYS = 4
const LATENESS = 2 * HOUR
const IDLE = 3 * HOUR
const SKEW = 10 * MINUTE
const PARTITIONS = 8

/** One flight, as a record of the topic. */
interface Told {
  readonly scheduled: number
  /** When its airline told it: the record's timestamp. */
  readonly timestamp: number
  /** When the topic had it. */
  readonly arrived: number
  readonly partition: number
  readonly value: string
}

/** What was landed at once of a partition. */
interface Landed {
  readonly partition: number
  readonly at: number
  visibleAt: number
  readonly records: readonly Told[]
}

interface Start {
  readonly day: number
  readonly at: number
  readonly revision: number
  readonly measure: number
}

test('each day is compacted once when it is complete, not before and not later; and again for what comes late', async () => {
  const topic = toldFlights()
  const clock = { now: BEGIN }
  const pipeline = {
    ...withJobs(
      { compact: { glue: 'compact', when: { partitionComplete: '2 hours' }, concurrency: 9 } },
      { ...declared, jobs: [] },
    ),
    completeness: defineCompleteness({ idle: '3 hours', clockSkew: '10 minutes' }),
  }
  const store = clocked(new MemoryStore(), () => clock.now)
  const tables = { store, tables: openCatalog('directory', store), now: () => clock.now }
  await applyTables(tables, pipeline)
  const runner = new MemoryRunner(false)
  const surroundings: JobSurroundings = {
    ...tables,
    catalog: 'directory',
    runnerOf: () => runner,
    deadline: () => new AbortController().signal,
    waiting: () => Promise.resolve([]),
    topic: () => Promise.resolve(UNKNOWN_TOPIC),
  }
  const landed: Landed[] = []
  const starts: Start[] = []
  const offsets = new Map<number, number>()
  for (let step = 0; step * STEP <= (DAYS + 1) * DAY; step++) {
    const now = BEGIN + step * STEP
    clock.now = now
    const arrived = topic.filter((record) => record.arrived > now - STEP && record.arrived <= now)
    for (const [partition, records] of Map.groupBy(arrived, (record) => record.partition)) {
      const offset = offsets.get(partition) ?? 0
      await deliver(store, pipeline, mskEvent(partition, offset, records))
      offsets.set(partition, offset + records.length)
      landed.push({ partition, at: now, visibleAt: Number.POSITIVE_INFINITY, records })
    }
    // On the third morning the committer does not run.
    const isOut = now > BEGIN + 2 * DAY && now < BEGIN + 2 * DAY + 6 * HOUR
    if (!isOut) {
      await commitTables(tables, pipeline)
      for (const slice of landed) slice.visibleAt = Math.min(slice.visibleAt, now)
    }
    await runRound(surroundings, pipeline, {
      onRun: ({ scope, revision, isNew, status }) => {
        if (isNew) starts.push({ day: Date.parse(scope), at: now, revision, measure: status.measure })
      },
      onFailure: (_run, error) => {
        throw error
      },
    })
    runner.end()
  }
  const days = Array.from({ length: DAYS }, (_, i) => BEGIN + i * DAY)
  for (const day of days) {
    const own = starts.filter((start) => start.day === day)
    expect([day, own.map(({ revision }) => revision)]).toEqual([day, own.map((_, i) => i)])
    expect(own.length).toBeGreaterThan(0)
    for (const { at, measure } of own) {
      // Nothing that had landed was missing, and no partition was behind that was not silent.
      expect([day, at, measure]).toEqual([day, at, rowsOf(day, landed, at)])
      expect([day, at, behind(day, landed, at, isYoung)]).toEqual([day, at, []])
      expect(at).toBeGreaterThanOrEqual(day + DAY + LATENESS)
    }
    expect(own[0]?.at).toBeLessThanOrEqual(firstComplete(day, landed))
    // What came last is in the last run.
    expect([day, own.at(-1)?.measure]).toEqual([day, rowsOf(day, landed, clock.now)])
  }
  const identities = runner.runs.map(({ order }) => order.identity)
  expect(new Set(identities).size).toBe(identities.length)
  expect(identities).toHaveLength(starts.length)
  // Some flights came late, and some days were complete by silence.
  expect(starts.filter(({ revision }) => revision > 0).length).toBeGreaterThan(3)
  expect(starts.some(({ day, at }) => behind(day, landed, at, isYoung, Number.POSITIVE_INFINITY).length > 0)).toBe(true)
}, 280_000)

/** The flights of the first days, in the order in which the topic has them. */
function toldFlights(): readonly Told[] {
  const file = new URL('../../events/flights/2013-01.ndjson.gz', import.meta.url)
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n')
  const told = lines.map((value, i): Told => {
    const event = JSON.parse(value) as FlightEvent
    const scheduled = newYorkInstant(event.scheduledDeparture).getTime()
    const isCancelled = event.departureDelayMinutes === null
    const minutes = isCancelled ? -12 * 60 : (event.departureDelayMinutes ?? 0) + (event.airTimeMinutes ?? 0)
    const timestamp = scheduled + minutes * MINUTE
    // One in two hundred is told late, by up to a day.
    const late = i % 200 === 7 ? ((i * 7) % 24) * HOUR : 0
    const [first = 0, second = 0] = Buffer.from(event.carrier)
    return { scheduled, timestamp, arrived: timestamp + late, partition: (first + 3 * second) % PARTITIONS, value }
  })
  return told
    .filter(({ scheduled, arrived }) => scheduled < BEGIN + DAYS * DAY && arrived > BEGIN - STEP)
    .sort((a, b) => a.arrived - b.arrived)
}

function mskEvent(partition: number, offset: number, records: readonly Told[]): unknown {
  const eventSourceArn =
    'arn:aws:kafka:us-east-1:123456789012:cluster/flight-operations/6a0b9a2c-3b5e-4a53-9d0e-2f1f0c7d8e11-s1'
  const list = records.map(({ timestamp, value }, i) => ({
    topic: 'flights',
    partition,
    offset: offset + i,
    timestamp,
    timestampType: 'CREATE_TIME',
    value: Buffer.from(value).toString('base64'),
    headers: [],
  }))
  return {
    eventSource: 'aws:kafka',
    eventSourceArn,
    bootstrapServers: 'b:9098',
    records: { [`flights-${partition}`]: list },
  }
}

function rowsOf(day: number, landed: readonly Landed[], now: number): number {
  const records = landed.filter(({ at }) => at <= now).flatMap((slice) => slice.records)
  return records.filter(({ scheduled }) => scheduled >= day && scheduled < day + DAY).length
}

/** Whether a slice shows a flight that is young enough, and that may be believed. */
type Shows = (slice: Landed, needed: number) => boolean

const boundOf = ({ records }: Landed): number => Math.max(...records.map(({ timestamp }) => timestamp)) + SKEW

/** Some flight of it. */
const isYoung: Shows = (slice, needed) =>
  slice.records.some(({ scheduled }) => scheduled >= needed && scheduled <= boundOf(slice))

/** Some flight of it, and no flight of it is told ahead of its time. */
const isPlainlyYoung: Shows = (slice, needed) =>
  isYoung(slice, needed) && slice.records.every(({ scheduled }) => scheduled <= boundOf(slice))

/** The partitions that are not past a day, and not silent. */
function behind(day: number, landed: readonly Landed[], now: number, shows: Shows, idle = IDLE): number[] {
  const needed = day + DAY + LATENESS
  const own = Map.groupBy(
    landed.filter(({ at }) => at <= now),
    ({ partition }) => partition,
  )
  return [...own].flatMap(([partition, slices]) => {
    const isPast = slices.some((slice) => slice.visibleAt <= now && shows(slice, needed))
    const isSilent = slices.every(({ at }) => now - at >= idle)
    return isPast || isSilent ? [] : [partition]
  })
}

/** The step at which a day is complete at the latest, when nobody is generous. */
function firstComplete(day: number, landed: readonly Landed[]): number {
  for (let now = day + DAY + LATENESS; ; now += STEP) {
    const holds = (slice: Landed): boolean => rowsOf(day, [slice], now) > 0
    const isPending = landed.some((slice) => slice.at <= now && slice.visibleAt > now && holds(slice))
    if (!isPending && behind(day, landed, now, isPlainlyYoung).length === 0) return now
  }
}
