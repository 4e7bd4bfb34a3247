import { matches, oneOf, onlyKnown, wholeNumber } from './declared-options.ts'
import { PipelineDefinitionError } from './errors.ts'
import { checkFilterPattern, type FilterPattern } from './filter-pattern.ts'
import { defineSchemaRegistry, type SchemaRegistry, type SchemaRegistryOptions } from './schema-registry.ts'

/**
 * How Lambda's event source mapping feeds a pipeline's function from its topic (AWS Lambda Developer Guide, "All Amazon MSK
 * event source configuration parameters", "Configuring error handling controls for Kafka event sources").
 */

/** Bytes of an invocation's payload: the event as JSON, with keys and values in base64. */
export const PAYLOAD_BYTES = 6_000_000
/** Records of a batch. */
export const BATCH_RECORDS = [1, 10_000] as const
/** Seconds that a batch is collected for. */
export const WINDOW_SECONDS = [0, 300] as const
/** How often a batch is delivered again at the most when there is a failure destination and no other limit. */
const RETRIES_WITH_DESTINATION = 10
/** What Lambda takes, less what would be a wildcard in a role, with room for a generation behind it. */
const GROUP = /^[a-zA-Z0-9\-/:_+=.@]{1,190}$/

/** Where a new consumer group begins: at the oldest record, behind the newest one, or at the first of a time. */
export type StartingPosition = 'TRIM_HORIZON' | 'LATEST' | Date

interface CommonOptions {
  /** Records of an invocation at the most: 1 to 10,000. Inlet's default is 10,000 (Lambda's is 100): large slices are cheap. */
  readonly batchSize?: number
  /** Seconds that records are collected for: 0 to 300. Inlet's default is 5 (Lambda's is half a second). */
  readonly batchingWindowSeconds?: number
  /** Where the first delivery ever begins. Inlet's default is `'TRIM_HORIZON'` (Lambda has none): nothing is left out. */
  readonly startingPosition?: StartingPosition
  /** A record is delivered when any of these says so; none (the default) delivers all. At most 10, of which a quota allows 5. */
  readonly filters?: readonly FilterPattern[]
  /**
   * Where Lambda puts what it gives up: the batch into a bucket, `s3://bucket`; or, with dedicated pollers, its records into a topic
   * of the same cluster, `kafka://topic`, which is made with the others. Only a bucket can be redriven. With one, and
   * without `maximumRetryAttempts`, it gives up after 10 retries.
   */
  readonly failureDestination?: string
  /**
   * The consumer group of the trigger, the same in all stages. By default it has the name of stack and pipeline. One that has
   * committed offsets in the topic goes on behind them, wherever `startingPosition` is.
   */
  readonly consumerGroup?: string
}

/** The options that only dedicated pollers have. */
interface ProvisionedOptions {
  /** How often a failed batch is delivered again: 0 to 10,000. The default, Lambda's too, is until it succeeds. */
  readonly maximumRetryAttempts?: number
  /** Older records are given up: 60 to 604,800 seconds. The default, Lambda's too, is never. */
  readonly maximumRecordAgeSeconds?: number
  /** Whether a failed batch is delivered again as two halves. The default, Lambda's too, is false. */
  readonly bisectBatchOnError?: boolean
  /**
   * Whether the function names the records that failed (`ReportBatchItemFailures`). Inlet's default is true (Lambda's is
   * false): what has landed is not delivered again.
   */
  readonly partialResponses?: boolean
  /** How many pollers there are: at least 1 to 200, at most 1 to 2,000. The default, Lambda's too, is 1 and 200. */
  readonly pollers?: { readonly minimum?: number; readonly maximum?: number }
  /** What records are validated and decoded with before the function has them. */
  readonly schemaRegistry?: SchemaRegistryOptions
}

/** A pipeline's trigger as its owner writes it. `on-demand` is the default mode, Inlet's and Lambda's. */
export type TriggerOptions =
  | (CommonOptions & { readonly mode?: 'on-demand' } & { readonly [Option in keyof ProvisionedOptions]?: never })
  | (CommonOptions & { readonly mode: 'provisioned' } & ProvisionedOptions)

/** A trigger with all its settings. */
export interface Trigger {
  readonly mode: 'on-demand' | 'provisioned'
  readonly batchSize: number
  readonly batchingWindowSeconds: number
  readonly startingPosition: StartingPosition
  readonly filters: readonly FilterPattern[]
  /** `s3://bucket` or `kafka://topic`; null when what is given up is lost. See `failureBucket` and `failureTopic`. */
  readonly failureDestination: string | null
  /** Null for the one that follows from stack and pipeline. */
  readonly consumerGroup: string | null
  /** As it was declared; null for no limit of its own. See `retryLimit`. */
  readonly maximumRetryAttempts: number | null
  /** Null for no limit. */
  readonly maximumRecordAgeSeconds: number | null
  readonly bisectBatchOnError: boolean
  readonly partialResponses: boolean
  /** Null on demand: Lambda has as many as it finds right. */
  readonly pollers: { readonly minimum: number; readonly maximum: number } | null
  readonly schemaRegistry: SchemaRegistry | null
}

const COMMON = [
  'mode',
  'batchSize',
  'batchingWindowSeconds',
  'startingPosition',
  'filters',
  'failureDestination',
  'consumerGroup',
]
const PROVISIONED = [
  'maximumRetryAttempts',
  'maximumRecordAgeSeconds',
  'bisectBatchOnError',
  'partialResponses',
  'pollers',
  'schemaRegistry',
]

/**
 * Checks a declared trigger and fills in what it leaves out.
 * @throws PipelineDefinitionError naming the option that is wrong, and why
 */
export function defineTrigger(options: TriggerOptions = {}): Trigger {
  if (typeof options !== 'object' || options === null)
    throw new PipelineDefinitionError('trigger: expected { batchSize, … }')
  onlyKnown(options, [...COMMON, ...PROVISIONED], 'trigger.')
  const { mode = 'on-demand', batchSize = 10_000, batchingWindowSeconds = 5, filters = [] } = options
  const { startingPosition = 'TRIM_HORIZON', failureDestination = null, consumerGroup = null } = options
  oneOf('trigger.mode', mode, ['on-demand', 'provisioned'])
  wholeNumber('trigger.batchSize', batchSize, ...BATCH_RECORDS)
  wholeNumber('trigger.batchingWindowSeconds', batchingWindowSeconds, ...WINDOW_SECONDS)
  checkStartingPosition(startingPosition)
  checkFilters(filters)
  if (failureDestination !== null) checkFailureDestination(failureDestination, mode)
  if (consumerGroup !== null)
    matches('trigger.consumerGroup', consumerGroup, GROUP, 'letters, digits and -/:_+=.@, at most 190')
  const common = { batchSize, batchingWindowSeconds, startingPosition, filters, failureDestination, consumerGroup }
  return mode === 'provisioned' ? { ...common, ...provisioned(options) } : { ...common, ...onDemand(options) }
}

type OwnOfMode = Omit<Trigger, Exclude<keyof CommonOptions, undefined>>

function onDemand(options: TriggerOptions): OwnOfMode {
  for (const option of PROVISIONED) {
    if (option in options)
      throw new PipelineDefinitionError(
        `trigger.${option}: needs mode: 'provisioned'; on demand, Lambda retries the whole batch and has no such setting`,
      )
  }
  return {
    mode: 'on-demand',
    maximumRetryAttempts: null,
    maximumRecordAgeSeconds: null,
    bisectBatchOnError: false,
    partialResponses: false,
    pollers: null,
    schemaRegistry: null,
  }
}

function provisioned(options: ProvisionedOptions): OwnOfMode {
  const { maximumRetryAttempts = null, maximumRecordAgeSeconds = null, pollers = {} } = options
  const { bisectBatchOnError = false, partialResponses = true, schemaRegistry } = options
  if (maximumRetryAttempts !== null) wholeNumber('trigger.maximumRetryAttempts', maximumRetryAttempts, 0, 10_000)
  if (maximumRecordAgeSeconds !== null)
    wholeNumber('trigger.maximumRecordAgeSeconds', maximumRecordAgeSeconds, 60, 604_800)
  isBoolean('trigger.bisectBatchOnError', bisectBatchOnError)
  isBoolean('trigger.partialResponses', partialResponses)
  if (typeof pollers !== 'object' || pollers === null)
    throw new PipelineDefinitionError('trigger.pollers: expected { minimum, maximum }')
  onlyKnown(pollers, ['minimum', 'maximum'], 'trigger.pollers.')
  const { minimum = 1, maximum = 200 } = pollers
  wholeNumber('trigger.pollers.minimum', minimum, 1, 200)
  wholeNumber('trigger.pollers.maximum', maximum, minimum, 2000)
  return {
    mode: 'provisioned',
    maximumRetryAttempts,
    maximumRecordAgeSeconds,
    bisectBatchOnError,
    partialResponses,
    pollers: { minimum, maximum },
    schemaRegistry: schemaRegistry === undefined ? null : defineSchemaRegistry(schemaRegistry),
  }
}

/** How often a failed batch is delivered again before it is given up. */
export function retryLimit({ maximumRetryAttempts, failureDestination }: Trigger): number {
  return maximumRetryAttempts ?? (failureDestination === null ? Number.POSITIVE_INFINITY : RETRIES_WITH_DESTINATION)
}

/** The bucket that batches are given up to; null when there is none. */
export function failureBucket({ failureDestination }: Trigger): string | null {
  return failureDestination?.startsWith('s3://') === true ? failureDestination.slice('s3://'.length) : null
}

/** The topic that records are given up to; null when there is none. */
export function failureTopic({ failureDestination }: Trigger): string | null {
  return failureDestination?.startsWith('kafka://') === true ? failureDestination.slice('kafka://'.length) : null
}

function checkStartingPosition(position: unknown): void {
  if (position instanceof Date) {
    if (Number.isNaN(position.getTime()))
      throw new PipelineDefinitionError('trigger.startingPosition: the Date is no time')
  } else if (position !== 'TRIM_HORIZON' && position !== 'LATEST') {
    const found = JSON.stringify(position)
    throw new PipelineDefinitionError(
      `trigger.startingPosition: expected TRIM_HORIZON, LATEST or a Date, found ${found}`,
    )
  }
}

function checkFilters(filters: unknown): void {
  if (!Array.isArray(filters)) throw new PipelineDefinitionError('trigger.filters: expected an array of patterns')
  if (filters.length > 10)
    throw new PipelineDefinitionError(
      `trigger.filters: there are ${filters.length}; Lambda takes 5, and 10 with a larger quota`,
    )
  for (const [i, pattern] of filters.entries()) checkFilterPattern(pattern, `trigger.filters[${i}]`)
}

/** Lambda is given a bucket and chooses the key itself: `aws/lambda/` and the mapping's id. */
function checkFailureDestination(destination: unknown, mode: Trigger['mode']): void {
  const option = 'trigger.failureDestination'
  const isTopic = typeof destination === 'string' && destination.startsWith('kafka://')
  if (isTopic && mode === 'on-demand')
    throw new PipelineDefinitionError(`${option}: a topic needs mode: 'provisioned'; on demand it is a bucket`)
  if (isTopic) matches(option, destination, /^kafka:\/\/[^.][a-zA-Z0-9._-]{0,248}$/, 'kafka:// and the name of a topic')
  else
    matches(
      option,
      destination,
      /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      's3:// and a bucket, without a prefix (Lambda writes below aws/lambda/)',
    )
}

function isBoolean(option: string, value: unknown): void {
  if (typeof value !== 'boolean')
    throw new PipelineDefinitionError(`${option}: expected true or false, found ${JSON.stringify(value)}`)
}
