/**
 * What is written down of a run, each a write-once object: the order, by which it is decided; of each attempt who was to start it,
 * what the service called it, and how it ended; and how the run ended. Who puts one first has decided it, for all.
 */
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { InletError } from '#shared/pipeline/errors.ts'
import { openKey, type RunId, runPrefix } from './run-id.ts'

/** What runs need of the lake's object store. */
export interface RunStore {
  put(key: string, body: Uint8Array): Promise<void>
  putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'taken'>
  get(key: string): Promise<Uint8Array | undefined>
  list(prefix: string): AsyncIterable<{ readonly key: string }>
  delete(key: string): Promise<void>
}

const Time = z.int()
const Order = z.object({
  /** Rows, or small files, that the scope had when it was decided. */
  measure: z.int().min(0),
  snapshot: z.string(),
  /** Start and end of the window; null for the whole table. */
  window: z.object({ start: Time, end: Time }).nullable(),
  /** When it was decided. */
  at: Time,
  /** `schedule`, or who asked for it. */
  by: z.string(),
})
export type RunOrder = Readonly<z.output<typeof Order>>

const Target = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('glue'), job: z.string() }),
  z.object({
    kind: z.literal('emrServerless'),
    application: z.string(),
    role: z.string(),
    script: z.string(),
    spark: z.string(),
  }),
  z.object({
    kind: z.literal('emrStep'),
    cluster: z.string(),
    script: z.string(),
    spark: z.array(z.string()).readonly(),
  }),
])
/** What is started, as the job was declared by then: what becomes of it is asked there, whatever the job is later. */
const StartedJob = z.object({ target: Target, arguments: z.record(z.string(), z.string()) })

/** One may start the attempt, until then, and nobody else meanwhile. Older turns do not say what: it is what is declared. */
const Turn = z.object({ by: z.string(), at: Time, until: Time, job: StartedJob.optional() })
export type StartTurn = Readonly<z.output<typeof Turn>>

/** The start was refused: nothing runs. */
const Refusal = z.object({ at: Time, message: z.string() })
const Started = z.object({ runId: z.string(), at: Time })
const Ended = z.object({ state: z.enum(['succeeded', 'failed']), at: Time, message: z.string().nullable() })
const Outcome = z.object({
  state: z.enum(['succeeded', 'gave up']),
  attempts: z.int().min(1),
  at: Time,
  message: z.string().nullable(),
})
export type RunOutcome = Readonly<z.output<typeof Outcome>>

export interface AttemptRecord {
  /** How many had their turn to start it, the last of them, and what was refused to that one. */
  readonly turns: number
  readonly turn: StartTurn | null
  readonly refusal: Readonly<z.output<typeof Refusal>> | null
  readonly started: Readonly<z.output<typeof Started>> | null
  readonly ended: Readonly<z.output<typeof Ended>> | null
}

export interface RunRecord {
  readonly order: RunOrder
  /** At least one. */
  readonly attempts: readonly AttemptRecord[]
  readonly outcome: RunOutcome | null
}

const NEW_ATTEMPT: AttemptRecord = { turns: 0, turn: null, refusal: null, started: null, ended: null }
const ATTEMPT_FILE = /a(?<attempt>\d+)\/(?<name>turn|refused|started|ended)(?:-(?<number>\d+))?\.json$/

/** The records of one run. */
export class RunRecords {
  readonly #store: RunStore
  readonly #id: RunId
  readonly #prefix: string

  constructor(store: RunStore, id: RunId) {
    this.#store = store
    this.#id = id
    this.#prefix = runPrefix(id)
  }

  /**
   * Decides the run, unless it was decided before; then nothing changes. A mark leads to it until it is over.
   * @returns whether it was decided now
   */
  async open(order: RunOrder): Promise<boolean> {
    await this.#store.put(openKey(this.#id), new Uint8Array())
    return (await this.#store.putIfAbsent(`${this.#prefix}order.json`, encoded(order))) === 'created'
  }

  /** Nobody has to look at the run any more. */
  async close(): Promise<void> {
    await this.#store.delete(openKey(this.#id))
  }

  /** @returns undefined when the run was never decided */
  async read(): Promise<RunRecord | undefined> {
    const keys: string[] = []
    for await (const { key } of this.#store.list(this.#prefix)) keys.push(key)
    const order = await this.#get('order.json', Order, keys)
    if (order === undefined) return undefined
    const attempts: AttemptRecord[] = []
    for (let attempt = 0; attempt === 0 || hasAttempt(keys, attempt); attempt++)
      attempts.push(await this.#attempt(attempt, keys))
    return { order, attempts, outcome: (await this.#get('ended.json', Outcome, keys)) ?? null }
  }

  async #attempt(attempt: number, keys: readonly string[]): Promise<AttemptRecord> {
    const names = keys
      .map((key) => ATTEMPT_FILE.exec(key)?.groups)
      .filter((groups) => Number(groups?.['attempt']) === attempt)
    const turns = names.filter((groups) => groups?.['name'] === 'turn').length
    if (turns === 0) return NEW_ATTEMPT
    const at = folder(attempt)
    const last = numbered(turns - 1)
    return {
      turns,
      turn: (await this.#get(`${at}turn-${last}.json`, Turn, keys)) ?? null,
      refusal: (await this.#get(`${at}refused-${last}.json`, Refusal, keys)) ?? null,
      started: (await this.#get(`${at}started.json`, Started, keys)) ?? null,
      ended: (await this.#get(`${at}ended.json`, Ended, keys)) ?? null,
    }
  }

  /** @returns whether it is our turn to start the attempt: nobody else will until its end */
  async takeTurn(attempt: number, turn: number, told: Omit<StartTurn, 'by'>): Promise<boolean> {
    const key = `${this.#prefix}${folder(attempt)}turn-${numbered(turn)}.json`
    const own: StartTurn = { by: randomUUID(), ...told }
    if ((await this.#store.putIfAbsent(key, encoded(own))) === 'created') return true
    // A client that sends a put again, whose answer it has lost, is told that the key is taken: by itself.
    return decoded(key, Turn, await this.#store.get(key)).by === own.by
  }

  async refused(attempt: number, turn: number, refusal: z.output<typeof Refusal>): Promise<void> {
    await this.#once(`${folder(attempt)}refused-${numbered(turn)}.json`, refusal)
  }

  async started(attempt: number, started: z.output<typeof Started>): Promise<void> {
    await this.#once(`${folder(attempt)}started.json`, started)
  }

  async ended(attempt: number, ended: z.output<typeof Ended>): Promise<void> {
    await this.#once(`${folder(attempt)}ended.json`, ended)
  }

  async concluded(outcome: RunOutcome): Promise<void> {
    await this.#once('ended.json', outcome)
  }

  async #once(name: string, record: object): Promise<void> {
    await this.#store.putIfAbsent(`${this.#prefix}${name}`, encoded(record))
  }

  async #get<T>(name: string, schema: z.ZodType<T>, keys: readonly string[]): Promise<T | undefined> {
    const key = `${this.#prefix}${name}`
    return keys.includes(key) ? decoded(key, schema, await this.#store.get(key)) : undefined
  }
}

function folder(attempt: number): string {
  return `a${numbered(attempt)}/`
}

/** Attempts are eleven at the most; a start may be refused for days. */
function numbered(number: number): string {
  return String(number).padStart(6, '0')
}

function hasAttempt(keys: readonly string[], attempt: number): boolean {
  return keys.some((key) => key.includes(`/${folder(attempt)}`))
}

function encoded(record: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record)}\n`)
}

function decoded<T>(key: string, schema: z.ZodType<T>, body: Uint8Array | undefined): T {
  const parsed = schema.safeParse(parsedJson(body))
  if (parsed.success) return parsed.data
  throw new InletError('LOG_CORRUPT', `${key} does not hold the record of a run: it was changed by something else`)
}

function parsedJson(body: Uint8Array | undefined): unknown {
  try {
    return body === undefined ? undefined : JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}
