/** What becomes of works that fail. */
export interface WorkRules {
  readonly now: () => number
  /** Milliseconds to wait after so many failures in a row. */
  readonly pause: (failures: number) => number
  readonly canRetry: (error: unknown) => boolean
  readonly onFault: (error: Error, pauseMs: number) => void
  /** Everything that had failed has worked since. */
  readonly onHealed: () => void
}

interface Trouble {
  failures: number
  notBefore: number
}

/**
 * Works that go on beside one another, one at a time for each subject. What fails and can heal is not begun again before a
 * pause, which grows; what cannot heal ends `next`.
 */
export class Works {
  readonly #rules: WorkRules
  readonly #busy = new Set<unknown>()
  readonly #troubles = new Map<unknown, Trouble>()
  readonly #forgotten = new WeakSet<WeakKey>()
  readonly #pending = new Set<Promise<void>>()
  #fatal: { readonly error: unknown } | undefined
  #isAwake = false
  #wake: () => void = () => {}

  constructor(rules: WorkRules) {
    this.#rules = rules
  }

  /** Something has failed, and has not worked since. */
  get isTroubled(): boolean {
    return this.#troubles.size > 0
  }

  isBusy(subject: unknown): boolean {
    return this.#busy.has(subject) || this.#rules.now() < (this.#troubles.get(subject)?.notBefore ?? 0)
  }

  /** Whatever goes wrong with a subject that is no concern of ours any more, nobody waits for it to heal. */
  forget(subject: WeakKey): void {
    this.#forgotten.add(subject)
    this.#worked([subject])
  }

  /** Begins a work, unless its subject is busy or has to wait. */
  begin(subject: unknown, work: () => Promise<void>): void {
    if (!this.isBusy(subject)) this.beginAll([subject], work)
  }

  /** Begins a work on several subjects, none of which is busy. */
  beginAll(subjects: readonly unknown[], work: () => Promise<void>): void {
    for (const subject of subjects) this.#busy.add(subject)
    const settle = (error?: unknown): void => {
      for (const subject of subjects) this.#busy.delete(subject)
      if (error === undefined) this.#worked(subjects)
      else this.#failed(subjects, error)
    }
    this.follow(work().then(() => settle(), settle))
  }

  /** Waits for a work at the end, and wakes up when it is done. */
  follow(work: Promise<void>): void {
    const settled = work
      .catch((error: unknown) => {
        this.#fatal ??= { error }
      })
      .finally(() => {
        this.#pending.delete(settled)
        this.wake()
      })
    this.#pending.add(settled)
  }

  wake(): void {
    this.#isAwake = true
    this.#wake()
  }

  /** Waits until a work has ended, somebody wakes it up, or the time is over. @throws what cannot heal */
  async next(milliseconds: number): Promise<void> {
    if (this.#fatal === undefined && !this.#isAwake)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, milliseconds))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    this.#isAwake = false
    if (this.#fatal !== undefined) throw this.#fatal.error
  }

  /** Waits for all that was begun. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending)
  }

  #worked(subjects: readonly unknown[]): void {
    const wasTroubled = this.isTroubled
    for (const subject of subjects) this.#troubles.delete(subject)
    if (wasTroubled && !this.isTroubled) this.#rules.onHealed()
  }

  #failed(subjects: readonly unknown[], error: unknown): void {
    if (!this.#rules.canRetry(error)) {
      this.#fatal ??= { error }
      return
    }
    const concerned = subjects.filter((subject) => !this.#forgotten.has(subject as WeakKey))
    if (concerned.length === 0) return
    const failures = 1 + Math.max(...concerned.map((subject) => this.#troubles.get(subject)?.failures ?? 0))
    const pause = this.#rules.pause(failures)
    for (const subject of concerned) this.#troubles.set(subject, { failures, notBefore: this.#rules.now() + pause })
    this.#rules.onFault(error instanceof Error ? error : new Error(String(error)), pause)
  }
}
