import type { JobRunner } from '#shared/jobs/job-runner.ts'
import type { MemoryStore } from './memory-store.ts'

/** A scheduler that dies at one of its calls, before or after what the call does, and makes no further one. */
export class SchedulerCrash {
  hasCrashed = false
  #left: number
  readonly #when: 'before' | 'after'

  /** @param call at which it dies, counted from 1 over all that it calls */
  constructor(call: number, when: 'before' | 'after') {
    this.#left = call
    this.#when = when
  }

  store(store: MemoryStore): MemoryStore {
    return store.through((_call, effect) => this.#call(() => Promise.resolve(effect())))
  }

  runner(runner: JobRunner): JobRunner {
    return {
      startsOnce: runner.startsOnce,
      start: (order, signal) => this.#call(() => runner.start(order, signal)),
      find: (order, since) => this.#call(() => runner.find(order, since)),
      state: (order, runId) => this.#call(() => runner.state(order, runId)),
    }
  }

  async #call<T>(effect: () => Promise<T>): Promise<T> {
    this.#left -= 1
    if (this.hasCrashed || (this.#when === 'before' && this.#left === 0)) this.#crash()
    const answer = await effect()
    if (this.#when === 'after' && this.#left === 0) this.#crash()
    return answer
  }

  #crash(): never {
    this.hasCrashed = true
    throw new Error('the scheduler has crashed')
  }
}
