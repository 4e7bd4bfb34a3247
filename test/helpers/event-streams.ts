import { windowAt } from '#shared/pipeline/time-window.ts'
import { Random } from './simulation/random.ts'

/** A topic over some hours, with all that can be wrong about it. Times in milliseconds since 1970. */
export interface EventStream {
  readonly partitions: readonly StreamPartition[]
  readonly slices: readonly StreamSlice[]
  /** When somebody looks, ascending. */
  readonly looks: readonly number[]
  readonly latenessMs: number
  readonly idleMs: number
  readonly skewMs: number
  readonly quietMs: number | null
  readonly rerunAfter: number | null
}

interface StreamPartition {
  /** From when its log is sealed. */
  readonly sealedAt: number
  /** Whether the end of the topic is asked for. */
  readonly isAsked: boolean
}

/** The records of one delivery of one partition. */
export interface StreamSlice {
  readonly partition: number
  readonly records: readonly StreamRecord[]
  /** When it is in the log; never of one that is given up and not redriven. */
  readonly landedAt: number
  /** When a snapshot has it. */
  readonly visibleAt: number
  /** When it is put into the failure destination, if it is; until it has landed it waits there. */
  readonly givenUpAt: number | null
  /** When the topic has it. */
  readonly sentAt: number
}

export interface StreamRecord {
  readonly event: number
  readonly kafkaTime: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const YEAR = 365 * 24 * HOUR
const STREAM_BEGIN = Date.UTC(2026, 0, 5)
const HOURS = 4
const NEVER = Number.POSITIVE_INFINITY

/** The stream of a seed: partitions that fall silent, are added, or sealed; clocks that are wrong by hours and by years. */
export function eventStream(seed: number): EventStream {
  const random = new Random(seed)
  const minutes = (least: number, greatest: number): number => random.between(least, greatest) * MINUTE
  const partitions: StreamPartition[] = []
  const slices: StreamSlice[] = []
  const ticks = commitTimes(random)
  const count = random.between(1, 4)
  for (let partition = 0; partition < count; partition++) {
    const from = STREAM_BEGIN + (random.chance(0.3) ? minutes(30, 200) : 0)
    const until = STREAM_BEGIN + (random.chance(0.4) ? minutes(30, 250) : HOURS * HOUR)
    const clock = random.chance(0.15) ? wrongBy(random) : 0
    const isCreateTime = random.chance(0.5)
    const sealedAt = random.chance(0.1) ? until + minutes(1, 30) : NEVER
    partitions.push({ sealedAt, isAsked: random.chance(0.3) })
    for (let at = from + minutes(0, 10); at < until; at += minutes(5, 40)) {
      const records = Array.from({ length: random.between(1, 4) }, () => {
        const wrong = random.chance(0.06) ? wrongBy(random) : clock
        const delay = random.chance(0.1) ? random.between(60, 240) : random.between(0, 25)
        const event = at - delay * MINUTE - random.between(0, 59_999) + wrong
        const kafkaTime = random.chance(0.02) ? 0 : isCreateTime ? event : at - random.between(0, MINUTE)
        return { event, kafkaTime }
      })
      slices.push({ partition, records, sentAt: at - MINUTE, ...fateOf(random, at, ticks) })
    }
  }
  return {
    partitions,
    slices,
    looks: Array.from({ length: 5 }, () => STREAM_BEGIN + minutes(10, (HOURS + 3) * 60)).sort((a, b) => a - b),
    latenessMs: minutes(1, 30),
    idleMs: minutes(10, 90),
    skewMs: minutes(1, 20),
    quietMs: random.chance(0.2) ? minutes(60, 120) : null,
    rerunAfter: random.pick([null, 1, 3]) ?? null,
  }
}

/** When the committer runs: now and then it does not for a while. */
function commitTimes(random: Random): number[] {
  const times: number[] = []
  for (let at = STREAM_BEGIN; at < STREAM_BEGIN + (HOURS + 2) * HOUR; at += random.between(1, 20) * MINUTE) {
    if (random.chance(0.9)) times.push(at)
    else at += HOUR
  }
  return times
}

function fateOf(random: Random, at: number, ticks: readonly number[]) {
  const givenUpAt = random.chance(0.05) ? at : null
  const landedAt = givenUpAt === null ? at : random.chance(0.3) ? NEVER : at + random.between(20, 240) * MINUTE
  return { givenUpAt, landedAt, visibleAt: ticks.find((tick) => tick >= landedAt) ?? NEVER }
}

function wrongBy(random: Random): number {
  const sign = random.chance(0.5) ? 1 : -1
  return sign * (random.chance(0.5) ? random.between(1, 6) * HOUR : random.between(1, 10) * YEAR)
}

const files = new WeakMap<StreamSlice, readonly (readonly StreamRecord[])[]>()

/** The records of a slice by the hour that their file is of. */
export function filesOf(slice: StreamSlice): readonly (readonly StreamRecord[])[] {
  const known = files.get(slice)
  if (known !== undefined) return known
  const made = [...Map.groupBy(slice.records, ({ event }) => windowAt('hour', event).start).values()]
  files.set(slice, made)
  return made
}
