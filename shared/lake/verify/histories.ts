import {
  amendmentKey,
  amendmentsPrefix,
  commitKey,
  commitsPrefix,
  type EntryPlace,
  epochsPrefix,
  LOG_ROOT,
  type LogId,
  logDigest,
  MAX_OFFSET,
  parseEpochKey,
  parseLogKey,
  type TopicId,
} from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Fault } from './findings.ts'

/** A commit log, as the keys of its objects tell of it. */
export interface ListedLog {
  readonly id: LogId
  readonly prefix: string
  /** By which the names of its data files begin. */
  readonly digest: string
}

/** Where a commit and its amendments lie. Nothing of them has been read. */
export interface HistoryPlace {
  readonly log: ListedLog
  readonly start: number
  /** False when there are amendments of it, and it is missing. */
  readonly hasCommit: boolean
  /** The numbers of its amendments, ascending. */
  readonly amendments: readonly number[]
}

export interface HistoriesOptions {
  /** Called for an object that lies where only commits or amendments do. */
  readonly onStray: (fault: Fault) => void
  /** Called for each object that says that an epoch began. */
  readonly onEpoch: (topic: TopicId, epoch: number) => void
}

/**
 * Every commit of a lake with its amendments, log by log, the newest commit first: one listing of all logs, however many
 * there are. Amendments are listed before commits, and the other way around; two numbers for each wait for its commit.
 */
export async function* historiesOf(
  store: ObjectStore,
  { onStray, onEpoch }: HistoriesOptions,
): AsyncIterable<HistoryPlace> {
  let log: ListedLog | undefined
  const amended = new AmendmentStack()
  for await (const { key } of store.list(LOG_ROOT)) {
    const parsed = parseLogKey(key)
    if (parsed === undefined) {
      if (log !== undefined && key.startsWith(epochsPrefix(log.id))) onEpoch(log.id, parseEpochKey(key))
      continue
    }
    if (parsed.prefix !== log?.prefix) {
      if (log !== undefined) yield* withoutCommit(log, amended, -1)
      log = { ...parsed, digest: logDigest(parsed.prefix) }
    }
    const place = placeOf(log.prefix, key)
    if (place === undefined) {
      if (isEntryKey(log.prefix, key)) onStray({ object: key, fault: 'is neither a commit nor an amendment' })
    } else if (place.kind === 'amendment') amended.push(place.amends, place.number)
    else {
      yield* withoutCommit(log, amended, place.start)
      const amendments = amended.start === place.start ? amended.pop() : []
      yield { log, start: place.start, hasCommit: true, amendments }
    }
  }
  if (log !== undefined) yield* withoutCommit(log, amended, -1)
}

/** The amendments of commits behind an offset, which were not listed where they should be. */
function* withoutCommit(log: ListedLog, amended: AmendmentStack, offset: number): Iterable<HistoryPlace> {
  while (amended.start > offset) yield { log, start: amended.start, hasCommit: false, amendments: amended.pop() }
}

/** The amendments of a log, of which the last commit's are wanted first. */
class AmendmentStack {
  readonly #starts: number[] = []
  readonly #numbers: number[] = []

  push(start: number, number: number): void {
    this.#starts.push(start)
    this.#numbers.push(number)
  }

  /** The start of the last amended commit; −1 when there is none left. */
  get start(): number {
    return this.#starts.at(-1) ?? -1
  }

  /** Takes the numbers of the last amended commit's amendments, ascending. */
  pop(): number[] {
    const { start } = this
    const numbers: number[] = []
    while (this.start === start) {
      this.#starts.pop()
      numbers.push(this.#numbers.pop() as number)
    }
    return numbers.reverse()
  }
}

/** @returns undefined for a key that no entry has */
function placeOf(log: string, key: string): EntryPlace | undefined {
  const { left, amends, number } =
    /\/(?:commits\/(?<left>\d+)|amendments\/(?<amends>\d+)\/(?<number>\d+))\.json$/.exec(key)?.groups ?? {}
  if (left !== undefined) {
    const start = MAX_OFFSET - Number(left)
    return key === commitKey(log, start) ? { kind: 'commit', start } : undefined
  }
  if (amends === undefined) return undefined
  const place = { kind: 'amendment', amends: Number(amends), number: Number(number) } as const
  return key === amendmentKey(log, place.amends, place.number) ? place : undefined
}

function isEntryKey(log: string, key: string): boolean {
  return key.startsWith(commitsPrefix(log)) || key.startsWith(amendmentsPrefix(log))
}
