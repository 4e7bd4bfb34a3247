import { S3Store } from '#shared/lake/s3-store.ts'
import type { PartitionRecords } from '#shared/pipeline/record.ts'
import type { Trigger } from '#shared/pipeline/trigger.ts'
import type { Bucket } from './bucket.ts'
import { Process } from './process.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'
import { FIXED, type Version } from './topic.ts'
import type { Trace } from './trace.ts'
import type { Handle, Machine, Redrive, Workload } from './workload.ts'

export const LAKE_URL = 's3://lake'
export const FAILURES_URL = 's3://failures'

/** How often an invocation gets an instance that has served before, if there is one. */
const WARM = 0.8
/** The function's timeout, in milliseconds. */
export const TIMEOUT_MS = 60_000

/** What a function is invoked with, and who waits for the answer. */
export interface Invocation {
  readonly what: 'batch' | 'stray' | 'replay' | 'redrive of dead letters' | 'redrive of failed batches'
  readonly partitions: readonly PartitionRecords[]
  /** The life of the topic that the records are of. */
  readonly life: number
  /** Whether it began when the epoch of that life had. */
  readonly isInEpoch: boolean
  /** Hears the answer, an error, or that it takes too long: that there is none. */
  readonly ended: (error: Error | undefined, payload?: unknown) => void
  readonly timedOut: () => void
}

/** Who hears what came of landings. */
export interface Hearer {
  readonly landed: Machine['landed']
  readonly failed: (process: Process, ...what: Parameters<Machine['failed']>) => void
}

interface Instance {
  readonly process: Process
  readonly handle: Handle
}

interface Running {
  readonly instance: Instance
  readonly invocation: Invocation
  /** By the clock of its process. */
  readonly begun: number
}

/**
 * The function's instances, as Lambda keeps them: each serves one invocation at a time, is frozen until the next one, and
 * knows what it knew then.
 */
export class Lambda {
  version: Version = 0
  /** Instances that were started; slices that they were invoked with. */
  instances = 0
  slices = 0
  readonly #schedule: Schedule
  readonly #bucket: Bucket
  readonly #failures: Bucket
  readonly #workload: Workload
  readonly #random: Random
  readonly #trace: Trace | undefined
  readonly #hears: Hearer
  readonly #running = new Map<Process, Running>()
  #idle: Instance[] = []

  constructor(
    schedule: Schedule,
    { bucket, failures }: { readonly bucket: Bucket; readonly failures: Bucket },
    workload: Workload,
    random: Random,
    hears: Hearer,
    trace?: Trace,
  ) {
    this.#schedule = schedule
    this.#bucket = bucket
    this.#failures = failures
    this.#workload = workload
    this.#random = random
    this.#hears = hears
    this.#trace = trace
  }

  /** What a process is at work on; undefined when it is no instance of the function. */
  invocationOf(process: Process): Invocation | undefined {
    return this.#running.get(process)?.invocation
  }

  /** Whether somebody is at work on records of a life of the topic. */
  isAtWorkOn(life: number): boolean {
    return [...this.#running.values()].some(({ invocation }) => invocation.life === life)
  }

  invoke(invocation: Invocation, trigger: Trigger): void {
    this.#run(
      this.#warm() ?? this.#cold('function', (machine) => this.#workload.start(machine, this.version, trigger)),
      invocation,
      (instance) => {
        this.#schedule.freeze(instance.process)
        this.#idle.push(instance)
      },
    )
  }

  /** Lands records in the log of their own life. @param version of the pipeline that does */
  redrive(redrive: Redrive, invocation: Omit<Invocation, 'what'>, version: Version): void {
    const { of } = redrive
    const instance = this.#cold('redrive', (machine) => {
      const run = this.#workload.redrive(machine, version)
      return () => run(redrive)
    })
    this.#run(instance, { ...invocation, what: `redrive of ${of}` }, () => {})
  }

  /** The next version of the pipeline. Instances of the one before finish what they have, and get nothing more. */
  deploy(): void {
    this.version = this.version === 0 ? 1 : FIXED
    this.#trace?.event('the function', `has version ${this.version}`)
    this.retire()
  }

  /** Instances that serve nobody are gone, with what they had under way. */
  retire(): void {
    for (const { process } of this.#idle) this.#schedule.kill(process, 'is not needed any more')
    this.#idle = []
  }

  /** To be told when a process was killed: who waits for it hears nothing. */
  killed(process: Process): void {
    const running = this.#running.get(process)
    this.#running.delete(process)
    running?.invocation.timedOut()
  }

  /** Milliseconds until Lambda cuts an instance off; undefined for what is none, or is not at work. */
  timeLeft(process: Process): number | undefined {
    const running = this.#running.get(process)
    return running === undefined ? undefined : running.begun + TIMEOUT_MS - process.now
  }

  #run(instance: Instance, invocation: Invocation, ended: (instance: Instance) => void): void {
    const { process, handle } = instance
    const { what, partitions, life } = invocation
    this.slices += partitions.length
    this.#running.set(process, { instance, invocation, begun: process.now })
    this.#trace?.invocation(process.name, what, life, partitions)
    this.#schedule.begin(
      process,
      () => handle(partitions),
      (error, payload) => {
        this.#running.delete(process)
        ended(instance)
        invocation.ended(error, payload)
      },
    )
  }

  #warm(): Instance | undefined {
    const warm = this.#random.chance(WARM) ? this.#random.pick(this.#idle) : undefined
    if (warm === undefined) return undefined
    this.#idle.splice(this.#idle.indexOf(warm), 1)
    this.#schedule.thaw(warm.process)
    return warm
  }

  #cold(name: 'function' | 'redrive', start: (machine: Machine) => Handle): Instance {
    const process = new Process(`${name} ${++this.instances}`, this.#schedule)
    const store = new S3Store(LAKE_URL, { client: this.#bucket.clientOf(process) })
    const failures = new S3Store(FAILURES_URL, { client: this.#failures.clientOf(process) })
    const { landed, failed } = this.#hears
    const machine = { process, store, failures, landed, failed: failed.bind(null, process) }
    return { process, handle: start(machine) }
  }
}
