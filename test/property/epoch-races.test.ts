import { CommitLog, type LandMode } from '#shared/lake/commit-log.ts'
import { beginEpoch, currentEpoch } from '#shared/lake/epochs.ts'
import { isSeal, type LogEntry } from '#shared/lake/log-entry.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import type { InletError } from '#shared/pipeline/errors.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { recordsAt, writeOffsets } from '#test/helpers/slices.ts'

const TOPIC = { pipeline: 'flights', generation: 0, cluster: 'c', topic: 'flights' }
const OTHER = { ...TOPIC, epoch: 0, partition: 1 }
const EMPTY = { ...TOPIC, epoch: 0, partition: 0 }

/** The next call of each of several tasks at a store waits until it is its turn. */
class Turns {
  readonly #waiting = new Map<string, () => void>()
  readonly #ended = new Set<string>()

  storeOf(task: string, store: MemoryStore): MemoryStore {
    return store.through(async (_call, effect) => {
      await new Promise<void>((resolve) => this.#waiting.set(task, resolve))
      return effect()
    })
  }

  async begin<T>(task: string, work: () => Promise<T>): Promise<T> {
    return work().finally(() => this.#ended.add(task))
  }

  /** Lets a task make one call. @returns false when it has ended */
  async turn(task: string): Promise<boolean> {
    await settled()
    const go = this.#waiting.get(task)
    this.#waiting.delete(task)
    go?.()
    await settled()
    return !this.#ended.has(task)
  }
}

/** All that follows at once has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function entriesOf(store: MemoryStore): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for await (const entry of new LogStore(store, EMPTY).commits()) entries.unshift(entry)
  return entries
}

/**
 * A writer has its turn before the calls of the operator that are numbered, one call at a time; what is left of it comes
 * behind.
 */
async function race(turns: ReadonlySet<number>, mode: LandMode): Promise<string> {
  const store = new MemoryStore()
  await new CommitLog(store, OTHER).land(recordsAt(0), writeOffsets())
  const clock = new Turns()
  const writer = clock.begin('writer', () =>
    new CommitLog(clock.storeOf('writer', store), EMPTY).land(recordsAt(0, 1), writeOffsets(), mode).then(
      () => 'landed',
      (error: unknown) => (error as InletError).code,
    ),
  )
  const operator = clock.begin('operator', () => beginEpoch(clock.storeOf('operator', store), TOPIC, 0))
  let [writes, begins] = [true, true]
  for (let turn = 0; writes || begins; turn++) {
    if (writes && (turns.has(turn) || !begins)) writes = await clock.turn('writer')
    else begins = await clock.turn('operator')
  }
  await operator
  const what = await writer
  expect(await currentEpoch(store, TOPIC)).toBe(1)
  const entries = await entriesOf(store)
  const landed = entries.filter((entry) => !isSeal(entry)).flatMap(({ covered }) => covered)
  const amended = (await new LogStore(store, EMPTY).amendmentsOf(0)).flatMap(({ covered }) => covered)
  expect([...landed, ...amended]).toEqual(what === 'landed' ? [[0, 1]] : [])
  // Nothing can follow, whoever opens the log as one of the old epoch.
  await expect(new CommitLog(store, EMPTY).land(recordsAt(7), writeOffsets())).rejects.toMatchObject({
    code: 'EPOCH_ENDED',
  })
  return what
}

/** All ways to choose so many of the numbers below a limit. */
function* choices(limit: number, many: number, from = 0): Iterable<number[]> {
  if (many === 0) yield []
  else
    for (let first = from; first <= limit - many; first++)
      for (const rest of choices(limit, many - 1, first + 1)) yield [first, ...rest]
}

test.each<[LandMode, string[]]>([
  ['deliver', ['EPOCH_ENDED', 'landed']],
  ['redrive', ['landed']],
])(
  'the first commit of a log and the end of its epoch, in every order of their calls (%s): it landed and was sealed, or it fails',
  async (mode, outcomes) => {
    const seen = new Set<string>()
    // The writer makes five calls when nothing comes between: list, announce, look, put a file, commit.
    for (const turns of choices(14, 5)) seen.add(await race(new Set(turns), mode))
    expect([...seen].sort()).toEqual(outcomes)
  },
)
