/** Brings what has landed into the tables, time and again: one commit of a table for many of the log. */
export class TableCommits {
  readonly #commit: (() => Promise<void>) | undefined
  readonly #everyMs: number
  readonly #onFault: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()

  /** @param commit undefined when somebody else does it, as the committer's schedule */
  constructor(commit: (() => Promise<void>) | undefined, everyMs: number, onFault: (error: unknown) => void) {
    this.#commit = commit
    this.#everyMs = everyMs
    this.#onFault = onFault
  }

  /** Something has landed, or may have before: it is seen to. */
  landed(): void {
    if (this.#commit === undefined) return
    this.#timer ??= setTimeout(() => {
      // One after another: two at once would take the table's swap from each other, and do their work again.
      this.#running = this.#running.then(() => {
        this.#timer = undefined
        return this.#run()
      })
    }, this.#everyMs)
  }

  /** Brings in what has landed, also by who came before and did not get so far, and waits for it. */
  async finish(): Promise<void> {
    await this.#running
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#run()
  }

  /** What has landed is durable, and the next commit of the table brings it in too. */
  async #run(): Promise<void> {
    try {
      await this.#commit?.()
    } catch (error) {
      this.#onFault(error)
    }
  }
}
