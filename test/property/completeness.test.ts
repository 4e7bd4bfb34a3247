/**
 * Windows are complete, and jobs due, exactly when the rule says so: what `progress.ts`, `completeness.ts` and `due.ts` make of
 * entries as they come is compared with the rule as it is written, asked of all records of the stream anew each time.
 */
import { dueRuns, type LastRun, type WatchedTable } from '#shared/jobs/due.ts'
import { obstacles, type TableState } from '#shared/jobs/completeness.ts'
import { type Arrival, emptyProgress, type Progress, withNews } from '#shared/jobs/progress.ts'
import type { Job } from '#shared/pipeline/job.ts'
import { type TimeWindow, windowAt, windowName } from '#shared/pipeline/time-window.ts'
import {
  eventStream,
  type EventStream,
  filesOf,
  type StreamRecord,
  type StreamSlice,
} from '#test/helpers/event-streams.ts'

const STREAMS = 10_000
const HOUR = 3_600_000
const WINDOWS = { column: 'at', grain: 'hour' } as const

test(`${STREAMS} streams: each window is complete when the rule says so, and its job is due once, or again for late rows`, () => {
  const told = { complete: 0, held: 0, reruns: 0 }
  for (let seed = 1; seed <= STREAMS; seed++) {
    const stream = eventStream(seed)
    const progress = new IncrementalProgress(stream)
    const known: Record<string, LastRun> = {}
    const runs = new Map<number, number>()
    for (const now of stream.looks) {
      const { state, table } = progress.lookAt(now)
      const due = dueRuns(jobOf(stream), table, state.progress, state, known)
      const expected = expectedRuns(stream, now, runs)
      const [found, right] = [due, expected].map((some) => some.map(briefly).sort().join('; '))
      if (found !== right) throw new Error(`seed ${seed}, at ${now}: due are ${found}; the rule says ${right}`)
      told.complete += due.length
      told.held += windowsSeen(stream, now).length - due.length
      for (const { scope, revision, measure, window } of due) {
        told.reruns += revision > 0 ? 1 : 0
        known[scope] = { revision, measure, isOpen: false }
        runs.set((window as TimeWindow).start, measure)
      }
    }
  }
  // Streams on which nothing happens prove nothing.
  expect(told.complete).toBeGreaterThan(2 * STREAMS)
  expect(told.held).toBeGreaterThan(2 * STREAMS)
  expect(told.reruns).toBeGreaterThan(STREAMS / 10)
}, 300_000)

test('an event of the future completes nothing: what is complete with it is complete without it', () => {
  let compared = 0
  for (let seed = 1; seed <= 200; seed++) {
    const stream = eventStream(seed)
    const isOfFuture = (slice: StreamSlice) => (record: StreamRecord) => record.event > boundOf(stream, slice)
    const slices = stream.slices.map((slice) => ({
      ...slice,
      records: slice.records.filter((record) => !isOfFuture(slice)(record)),
      kafkaTime: greatest(slice.records.map(({ kafkaTime }) => kafkaTime)),
    }))
    const [withFuture, without] = [new IncrementalProgress(stream), new IncrementalProgress({ ...stream, slices })]
    for (const now of stream.looks) {
      const [one, other] = [withFuture.lookAt(now), without.lookAt(now)]
      for (const window of windowsSeen({ ...stream, slices }, now)) {
        const check = ({ state, table }: typeof one) =>
          obstacles(window, now, stream.latenessMs, { ...table.completeness, quietMs: null }, state).length === 0
        if (!check(one)) continue
        compared += 1
        expect([seed, now, check(other)]).toEqual([seed, now, true])
      }
    }
  }
  expect(compared).toBeGreaterThan(300)
})

/** What is made of a stream as it comes. */
class IncrementalProgress {
  readonly #stream: EventStream
  #progress: Progress = emptyProgress('t')
  readonly #taken = new Set<StreamSlice>()

  constructor(stream: EventStream) {
    this.#stream = stream
  }

  lookAt(now: number): { state: TableState & { progress: Progress }; table: WatchedTable } {
    const { partitions, slices, idleMs, skewMs, quietMs } = this.#stream
    const landed = slices.filter(({ landedAt }) => landedAt <= now)
    const news = partitions.map((_, partition) => {
      const fresh = landed.filter(
        (slice) => slice.partition === partition && slice.visibleAt <= now && !this.#taken.has(slice),
      )
      for (const slice of fresh) this.#taken.add(slice)
      return { log: `p${partition}`, next: 0, amended: {}, arrivals: fresh.map(arrivalOf) }
    })
    this.#progress = withNews(this.#progress, news, WINDOWS, skewMs)
    const states = partitions.map(({ sealedAt, isAsked }, partition) => {
      const own = landed.filter((slice) => slice.partition === partition)
      return {
        name: `p${partition}`,
        watermark: this.#progress.logs[`p${partition}`]?.watermark ?? null,
        lastAt: greatest(own.map(({ landedAt }) => landedAt)),
        hasEnded: sealedAt <= now,
        behind: isAsked ? missing(this.#stream, partition, now) : null,
      }
    })
    const pending = landed
      .filter(({ visibleAt }) => visibleAt > now)
      .flatMap((slice) =>
        filesOf(slice).map(([first]) => ({
          partition: `p${slice.partition}`,
          times: windowAt('hour', (first as StreamRecord).event),
        })),
      )
    const waiting = waitingAt(this.#stream, now).map((slice, i) => ({ key: `w${i}`, kafkaTime: timeOf(slice) }))
    const state = { now, partitions: states, pending, waiting, isRead: true, progress: this.#progress }
    return { state, table: { windows: WINDOWS, completeness: { idleMs, clockSkewMs: skewMs, quietMs } } }
  }
}

function arrivalOf(slice: StreamSlice): Arrival {
  const files = filesOf(slice).map((records) => {
    const events = records.map(({ event }) => event)
    const hour = Math.floor((events[0] as number) / HOUR)
    return {
      partition: { at_hour: hour },
      rows: records.length,
      bytes: 1,
      times: [Math.min(...events), Math.max(...events)] as const,
    }
  })
  const watermark = greatest(slice.records.map(({ event }) => event))
  return { at: slice.landedAt, kafkaTime: kafkaTimeOf(slice), watermark, files }
}

/** The rule, of all records. */
function isComplete(stream: EventStream, window: TimeWindow, now: number): boolean {
  const { partitions, slices, latenessMs, idleMs, skewMs, quietMs } = stream
  const needed = window.end + latenessMs
  if (now < needed) return false
  const holds = (slice: StreamSlice): boolean => slice.records.some((record) => isIn(record, window))
  const rowsCame = slices.filter((slice) => slice.visibleAt <= now && holds(slice)).map(({ landedAt }) => landedAt)
  const isQuiet = quietMs !== null && rowsCame.every((at) => at <= now - quietMs)
  for (const [partition, { sealedAt, isAsked }] of partitions.entries()) {
    const own = slices.filter((slice) => slice.partition === partition)
    if (isQuiet || sealedAt <= now) continue
    if (own.some((slice) => slice.visibleAt <= now && shows(stream, slice, needed))) continue
    if (isAsked && missing(stream, partition, now) > 0) return false
    if (own.some(({ landedAt }) => landedAt <= now && landedAt > now - idleMs)) return false
  }
  if (slices.some((slice) => slice.landedAt <= now && slice.visibleAt > now && holds(slice))) return false
  return waitingAt(stream, now).every((slice) => {
    const time = timeOf(slice)
    return time !== null && time + skewMs < window.start
  })
}

/**
 * Whether a record of the slice, which no clock ahead has made, is that young. Of a file its least and its greatest event are known:
 * where the greatest is of the future, the least is the one that tells something.
 */
function shows(stream: EventStream, slice: StreamSlice, needed: number): boolean {
  const bound = boundOf(stream, slice)
  return filesOf(slice).some((file) => {
    const isClean = file.every(({ event }) => event <= bound)
    const least = Math.min(...file.map(({ event }) => event))
    return file.some(({ event }) => event >= needed && event <= bound && (isClean || event === least))
  })
}

function expectedRuns(stream: EventStream, now: number, runs: ReadonlyMap<number, number>) {
  return [...rowsByWindow(stream, now)].flatMap(([start, rows]) => {
    const window = windowAt('hour', start)
    const before = runs.get(start)
    const isLate = before !== undefined
    if (isLate && (stream.rerunAfter === null || rows - before < stream.rerunAfter)) return []
    if (!isComplete(stream, window, now)) return []
    return [{ scope: windowName('hour', window), measure: rows, isRerun: isLate }]
  })
}

const briefly = ({
  scope,
  measure,
  ...run
}: {
  scope: string
  measure: number
  revision?: number
  isRerun?: boolean
}) => `${scope} ${measure} ${run.isRerun ?? (run.revision as number) > 0}`

/** By the start of the window. */
function rowsByWindow({ slices }: EventStream, now: number): ReadonlyMap<number, number> {
  const rows = new Map<number, number>()
  for (const { visibleAt, records } of slices) {
    if (visibleAt > now) continue
    for (const { event } of records) {
      const start = Math.floor(event / HOUR) * HOUR
      rows.set(start, (rows.get(start) ?? 0) + 1)
    }
  }
  return rows
}

/** The windows of which a snapshot has rows. */
const windowsSeen = (stream: EventStream, now: number): TimeWindow[] =>
  [...rowsByWindow(stream, now).keys()].map((start) => windowAt('hour', start))

const isIn = ({ event }: StreamRecord, { start, end }: TimeWindow): boolean => event >= start && event < end

const waitingAt = ({ slices }: EventStream, now: number): StreamSlice[] =>
  slices.filter(({ givenUpAt, landedAt }) => givenUpAt !== null && givenUpAt <= now && landedAt > now)

/** How many slices the topic has and the log has not. What was given up is behind the log's end. */
const missing = ({ slices }: EventStream, partition: number, now: number): number =>
  slices.filter(
    ({ partition: of, sentAt, landedAt, givenUpAt }) =>
      of === partition && sentAt <= now && landedAt > now && (givenUpAt === null || givenUpAt > now),
  ).length

const kafkaTimeOf = (slice: StreamSlice & { readonly kafkaTime?: number | null }): number | null =>
  slice.kafkaTime ?? greatest(slice.records.map(({ kafkaTime }) => kafkaTime))

const timeOf = (slice: StreamSlice): number | null => {
  const time = kafkaTimeOf(slice)
  return time === null || time <= 0 ? null : time
}

const boundOf = ({ skewMs }: EventStream, slice: StreamSlice): number =>
  Math.min(timeOf(slice) ?? Number.POSITIVE_INFINITY, slice.landedAt) + skewMs

const greatest = (numbers: readonly number[]): number | null => (numbers.length === 0 ? null : Math.max(...numbers))

function jobOf({ latenessMs, rerunAfter }: EventStream): Job {
  const when = { kind: 'partitionComplete', latenessMs } as const
  const target = { kind: 'glue', job: 'j' } as const
  return { name: 'j', target, when, retries: 0, concurrency: 1, rerunAfter, arguments: {} }
}
