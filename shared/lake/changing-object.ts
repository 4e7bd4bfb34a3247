import { firstKey } from './first-key.ts'
import { MAX_OFFSET } from './log-keys.ts'
import type { ObjectStore } from './object-store.ts'

/** Changes that are kept besides the newest: somebody may have listed the key of one, and not yet read it. */
const KEPT = 2
const DIGITS = String(MAX_OFFSET).length

/**
 * A small value that changes now and then, by compare and swap: each change is an object of its own, put if absent under its
 * number, so that of any number of writers one makes the next. Names count down: the newest is listed first.
 */
export class ChangingObject {
  readonly #store: ObjectStore
  readonly #prefix: string

  /** @param prefix with a slash at its end */
  constructor(store: ObjectStore, prefix: string) {
    this.#store = store
    this.#prefix = prefix
  }

  /** The newest change; undefined when there is none, or it is not JSON. */
  async newest(): Promise<unknown> {
    const key = await firstKey(this.#store, this.#prefix)
    const body = key === undefined ? undefined : await this.#store.get(key)
    try {
      return body === undefined ? undefined : JSON.parse(Buffer.from(body).toString('utf8'))
    } catch {
      return undefined
    }
  }

  /** Makes change `number` of it. @returns false when another writer has made it */
  async put(number: number, value: object): Promise<boolean> {
    if ((await this.#store.putIfAbsent(this.#key(number), Buffer.from(JSON.stringify(value)))) === 'taken') return false
    if (number > KEPT) await this.#store.delete(this.#key(number - KEPT - 1))
    return true
  }

  #key(number: number): string {
    return `${this.#prefix}${String(MAX_OFFSET - number).padStart(DIGITS, '0')}.json`
  }
}
