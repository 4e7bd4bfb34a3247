/** Lets calls run as long as what they hold in memory fits a budget; the others wait in the order in which they came. */
export class ByteGate {
  readonly #budget: number
  #held = 0
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = []

  constructor(budget: number) {
    this.#budget = budget
  }

  /** @param bytes what the call holds; one that holds more than the budget runs alone */
  async pass<T>(bytes: number, call: () => Promise<T>): Promise<T> {
    const held = Math.min(bytes, this.#budget)
    if (this.#waiting.length === 0 && this.#held + held <= this.#budget) this.#held += held
    else
      await new Promise<void>((enter) => {
        this.#waiting.push({ bytes: held, enter })
      })
    try {
      return await call()
    } finally {
      this.#held -= held
      this.#admit()
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#held + next.bytes > this.#budget) return
      this.#held += next.bytes
      this.#waiting.shift()
      next.enter()
    }
  }
}
