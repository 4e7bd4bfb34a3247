import { defineTrigger, type Trigger } from '#shared/pipeline/trigger.ts'
import { EventSourceMapping } from '#shared/trigger/event-source-mapping.ts'
import type { KafkaSource } from '#shared/trigger/msk-event.ts'
import type { Random } from './random.ts'
import type { Workload } from './workload.ts'

/** The cluster, as events and logs name it. */
export const CLUSTER: KafkaSource = {
  eventSource: 'aws:kafka',
  arn: 'arn:aws:kafka:us-east-1:123456789012:cluster/demo/6357e0b2-0e6a-4b86-a0b4-70df934c2e31-5',
  bootstrapServers: 'boot-1.demo.kafka.us-east-1.amazonaws.com:9098',
}

const LARGEST_BATCH = 6
const DAY_SECONDS = 86_400
const MARKS = Array.from({ length: 10 }, (_, mark) => mark)

/** What a schedule's topic allows. */
export interface Scope {
  readonly partitions: number
  /** Whether records may be given up, split off or filtered. */
  readonly mayLeaveOut: boolean
}

/** The event source mappings of a schedule, one after another, each with settings that a seed decides. */
export class Mappings {
  readonly #workload: Workload
  readonly #scope: Scope
  readonly #random: Random
  /** These two do not change while batches are under way, when the function and the mapping could differ in them. */
  readonly #isProvisioned: boolean
  readonly #isPartial: boolean
  #trigger: Trigger

  constructor(workload: Workload, scope: Scope, random: Random) {
    this.#workload = workload
    this.#scope = scope
    this.#random = random
    this.#isProvisioned = random.chance(0.7)
    this.#isPartial = random.chance(0.5)
    this.#trigger = this.#newTrigger()
  }

  /** The settings of the newest one. */
  get trigger(): Trigger {
    return this.#trigger
  }

  /** These settings in a few words. */
  get description(): string {
    const { mode, partialResponses, bisectBatchOnError, maximumRetryAttempts, filters } = this.#trigger
    const limit = maximumRetryAttempts === null ? '' : `, ${maximumRetryAttempts} retries`
    const flags = `${partialResponses ? ', partial responses' : ''}${bisectBatchOnError ? ', bisects' : ''}`
    return `${mode}${flags}${limit}${filters.length > 0 ? ', a filter' : ''}`
  }

  /** @param start the offset to begin at of each partition */
  next(start: ReadonlyMap<number, number>): EventSourceMapping {
    const random = this.#random
    this.#trigger = this.#newTrigger()
    return new EventSourceMapping(this.#trigger, this.#workload.topic.topic, start, CLUSTER, {
      pollers: random.between(1, this.#scope.partitions),
      partialReading: random.chance(0.5) ? 'named' : 'resume',
      secondHalfFirst: () => random.chance(0.5),
      backoff: (setbacks) => 100 * setbacks,
    })
  }

  #newTrigger(): Trigger {
    const random = this.#random
    const { mayLeaveOut } = this.#scope
    // What is given up without a destination is lost.
    const mayGiveUp = mayLeaveOut && random.chance(0.7)
    const marks = MARKS.filter(() => random.chance(0.8))
    const common = {
      batchSize: random.between(2, LARGEST_BATCH),
      batchingWindowSeconds: 0,
      ...(mayLeaveOut && random.chance(0.4) ? { filters: [this.#workload.filterOf(marks)] } : {}),
      ...(mayGiveUp ? { failureDestination: 's3://failures' } : {}),
    }
    if (!this.#isProvisioned) return defineTrigger(common)
    return defineTrigger({
      ...common,
      mode: 'provisioned',
      bisectBatchOnError: mayLeaveOut && random.chance(0.5),
      partialResponses: this.#isPartial,
      pollers: { minimum: 1, maximum: 4 },
      ...(mayGiveUp && random.chance(0.7) ? { maximumRetryAttempts: random.between(0, 3) } : {}),
      ...(mayGiveUp && random.chance(0.5) ? { maximumRecordAgeSeconds: DAY_SECONDS } : {}),
    })
  }
}
