import type { Invocation } from '#shared/trigger/batch.ts'
import type { EventSourceMapping } from '#shared/trigger/event-source-mapping.ts'
import type { Discarded } from '#shared/trigger/failure-destination.ts'
import type { Fetched, Wanted } from '#shared/trigger/partition-queue.ts'

/** The world around an event source mapping. */
export interface EventSource {
  /** Reads of a topic what is wanted: at once what is at hand, later what has to be waited for. */
  readonly read: (wanted: readonly Wanted[]) => readonly Fetched[] | Promise<readonly Fetched[]>
  /**
   * Where each Kafka partition ends: nothing is read behind, and all is done when everything before is settled. `Infinity`
   * for one that is followed.
   */
  readonly end: ReadonlyMap<number, number>
  /** Invokes the function. @returns its answer; rejects when it fails */
  readonly invoke: (invocation: Invocation) => Promise<unknown>
  /** How long the function may take: an answer that comes later counts for nothing. */
  readonly timeoutMs: number
  /**
   * Told of records that are given up, and of the failure that was one too many. What it throws ends the run.
   * @param cause undefined when the records were too old or too large to be delivered
   */
  readonly onDiscarded: (discarded: Discarded, cause: Error | undefined) => void
  /** Called when an invocation is over, whatever came of it. */
  readonly onEnded?: () => void
  /** Aborted when nothing more is to be begun. */
  readonly signal?: AbortSignal
}

/** No answer came in time. */
class InvocationTimeoutError extends Error {
  override readonly name = 'InvocationTimeoutError'
}

/**
 * Runs an event source mapping with a real topic, a real function and the real clock, to the end of the topic or until it is
 * to stop. What has begun has settled when it returns or throws, but for functions that were cut off.
 */
export async function runEventSource(mapping: EventSourceMapping, source: EventSource): Promise<void> {
  const pending = new Set<Promise<void>>()
  const follow = (work: Promise<void>): void => {
    const settled = work.finally(() => pending.delete(settled))
    pending.add(settled)
  }
  const reader = new Reader(mapping, source, follow)
  const { signal, end } = source
  const isDone = (): boolean =>
    signal?.aborted === true || [...end].every(([partition, offset]) => mapping.committed(partition) >= offset)
  try {
    while (!isDone()) {
      reader.read()
      for (const invocation of mapping.due(now())) follow(invoke(mapping, source, invocation))
      reportDiscarded(mapping, source, undefined)
      const at = mapping.dueAt(now())
      if (pending.size > 0 || at !== undefined) await soonest(pending, at, signal)
    }
  } finally {
    await Promise.allSettled(pending)
  }
}

/** Reads ahead of the mapping: one request at a time. */
class Reader {
  readonly #mapping: EventSourceMapping
  readonly #source: EventSource
  readonly #follow: (work: Promise<void>) => void
  #isReading = false

  constructor(mapping: EventSourceMapping, source: EventSource, follow: (work: Promise<void>) => void) {
    this.#mapping = mapping
    this.#source = source
    this.#follow = follow
  }

  /** Takes all that is at hand and asks for what is not. */
  read(): void {
    while (!this.#isReading) {
      const { end, read } = this.#source
      const wanted = this.#mapping.wanted().filter(({ partition, from }) => from < (end.get(partition) ?? 0))
      if (wanted.length === 0) return
      const fetched = read(wanted)
      if (fetched instanceof Promise) this.#follow(this.#await(fetched))
      else if (!this.#take(fetched)) throw new RangeError('nothing is at hand, and the end of the topic is not reached')
    }
  }

  async #await(fetched: Promise<readonly Fetched[]>): Promise<void> {
    this.#isReading = true
    try {
      this.#take(await fetched)
    } finally {
      this.#isReading = false
    }
  }

  /** @returns whether that brought anything */
  #take(fetched: readonly Fetched[]): boolean {
    for (const each of fetched) this.#mapping.offer(each)
    return fetched.some(({ from, records, next = from }) => records.length > 0 || next > from)
  }
}

async function invoke(mapping: EventSourceMapping, source: EventSource, invocation: Invocation): Promise<void> {
  let cause: Error | undefined
  try {
    mapping.answered(invocation, await inTime(source.invoke(invocation), source.timeoutMs), now())
  } catch (error) {
    cause = error instanceof Error ? error : new Error(String(error))
    mapping.failed(invocation, error instanceof InvocationTimeoutError ? 'timeout' : 'error', now())
  }
  reportDiscarded(mapping, source, cause)
  source.onEnded?.()
}

function reportDiscarded(mapping: EventSourceMapping, source: EventSource, cause: Error | undefined): void {
  for (const discarded of mapping.takeDiscarded()) source.onDiscarded(discarded, cause)
}

async function inTime(answer: Promise<unknown>, timeoutMs: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    const error = new InvocationTimeoutError(`the function did not answer within ${timeoutMs / 1000} s`)
    timer = setTimeout(() => reject(error), timeoutMs)
  })
  try {
    return await Promise.race([answer, tooLate])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits for the first of some work to end, for a time, or for the signal to stop. */
async function soonest(
  pending: ReadonlySet<Promise<void>>,
  at: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let wake = (): void => {}
  const alarm = new Promise<void>((resolve) => {
    wake = resolve
    if (at !== undefined) timer = setTimeout(resolve, Math.max(0, at - now()))
  })
  signal?.addEventListener('abort', wake)
  try {
    await Promise.race([...pending, alarm])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', wake)
  }
}

/** Milliseconds since 1970 by a clock that never goes back. */
function now(): number {
  return performance.timeOrigin + performance.now()
}
