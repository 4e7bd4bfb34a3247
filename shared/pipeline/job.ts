import { matches, onlyKnown, wholeNumber } from './declared-options.ts'
import { durationMs } from './duration.ts'
import { PipelineDefinitionError } from './errors.ts'
import type {
  EmrServerlessTarget,
  EmrStepTarget,
  JobOptions,
  JobsOptions,
  LatePolicy,
  WhenOptions,
} from './job-options.ts'
import { failureTopic, type Trigger } from './trigger.ts'
import { windowsOf } from './time-window.ts'
import type { Table } from './table.ts'

export type JobTarget =
  | { readonly kind: 'glue'; readonly job: string }
  | ({ readonly kind: 'emrServerless' } & Required<EmrServerlessTarget>)
  | ({ readonly kind: 'emrStep' } & Required<EmrStepTarget>)

export type JobTrigger =
  | { readonly kind: 'partitionComplete'; readonly latenessMs: number }
  | { readonly kind: 'smallFiles'; readonly files: number }
  | { readonly kind: 'every'; readonly periodMs: number }
  | { readonly kind: 'rows'; readonly rows: number }

/** A checked job. */
export interface Job {
  readonly name: string
  readonly target: JobTarget
  readonly when: JobTrigger
  readonly retries: number
  readonly concurrency: number
  /** Late rows after which a window's job runs again; null when they are ignored. */
  readonly rerunAfter: number | null
  readonly arguments: Readonly<Record<string, string>>
}

/** What every run is told, as `--name value`. A job cannot declare arguments of these names. */
export interface RunArguments {
  /** Who the run is: the same for no other. */
  readonly run: string
  readonly pipeline: string
  /** URL of the lake. */
  readonly lake: string
  /** `glue:<database>`, or what else the catalog of the tables is called. */
  readonly catalog: string
  readonly table: string
  /** The table's snapshot, in decimal, when the run was decided: what it is started for is in it. */
  readonly snapshot: string
  /** The window as its directory names it, as `2013-01-01-05`; empty for the whole table. */
  readonly partition: string
  /** The column that the window is of; empty for the whole table. */
  readonly 'window-column': string
  /** ISO 8601, UTC; empty for the whole table. The end is no part of the window. */
  readonly 'window-start': string
  readonly 'window-end': string
}

const DERIVED: Readonly<Record<keyof RunArguments, true>> = {
  run: true,
  pipeline: true,
  lake: true,
  catalog: true,
  table: true,
  snapshot: true,
  partition: true,
  'window-column': true,
  'window-start': true,
  'window-end': true,
}

const TARGETS = ['glue', 'emrServerless', 'emrStep']
const TRIGGERS = ['partitionComplete', 'smallFiles', 'every', 'rows']
const OPTIONS = [...TARGETS, 'when', 'retries', 'concurrency', 'late', 'arguments']
const RERUN_AFTER = /^rerun after (?<rows>[1-9]\d{0,14}) rows$/
const ARGUMENT = /^[a-z][a-z0-9-]{0,62}$/

/**
 * Checks the jobs of a table.
 * @throws PipelineDefinitionError naming the option that is wrong
 */
export function defineJobs(options: JobsOptions = {}, table: Table): readonly Job[] {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new PipelineDefinitionError("jobs: expected { name: { glue: 'job', when: … } }")
  const jobs = Object.entries(options).map(([name, job]) => defineJob(name, job, table))
  if (jobs.length > 0 && table.layout === 'files')
    throw new PipelineDefinitionError('jobs: they read snapshots, and plain files have none; use an Iceberg table')
  return jobs
}

/** A window is not complete while a batch waits that may be of it: that can be seen in a bucket only. */
export function requireVisibleFailures(jobs: readonly Job[], trigger: Trigger): void {
  const job = jobs.find(({ when }) => when.kind === 'partitionComplete')
  if (job === undefined || failureTopic(trigger) === null) return
  throw new PipelineDefinitionError(
    `jobs.${job.name}.when.partitionComplete: what waits in ${trigger.failureDestination} cannot be seen; ` +
      "give up to a bucket (trigger.failureDestination: 's3://…')",
  )
}

function defineJob(name: string, options: JobOptions, table: Table): Job {
  const at = `jobs.${name}`
  matches('jobs', name, /^[a-z][a-z0-9-]{0,47}$/, 'names of lower-case letters, digits and dashes, at most 48')
  isObject(at, options, "{ glue: 'job', when: … }")
  onlyKnown(options, OPTIONS, `${at}.`)
  const { retries = 2, concurrency = 1 } = options
  wholeNumber(`${at}.retries`, retries, 0, 10)
  wholeNumber(`${at}.concurrency`, concurrency, 1, 100)
  const when = defineTrigger(`${at}.when`, options.when, table)
  if (options.late !== undefined && when.kind !== 'partitionComplete')
    throw new PipelineDefinitionError(`${at}.late: only what runs when a window is complete knows late rows`)
  return {
    name,
    target: defineTarget(at, options),
    when,
    retries,
    concurrency,
    rerunAfter: rerunAfter(`${at}.late`, options.late ?? 'rerun'),
    arguments: defineArguments(`${at}.arguments`, options.arguments ?? {}),
  }
}

function defineTarget(at: string, options: JobOptions): JobTarget {
  requireOne(at, options, TARGETS)
  if (options.glue !== undefined) {
    matches(`${at}.glue`, options.glue, /^[\w .:/+=@-]{1,255}$/, 'the name of a Glue job')
    return { kind: 'glue', job: options.glue }
  }
  if (options.emrServerless !== undefined) {
    const { emrServerless: given } = options
    isObject(`${at}.emrServerless`, given, '{ application, role, script }')
    onlyKnown(given, ['application', 'role', 'script', 'spark'], `${at}.emrServerless.`)
    const { application, role, script, spark = '' } = given
    matches(`${at}.emrServerless.application`, application, /^[0-9a-z]{1,64}$/, 'the id of an application')
    matches(`${at}.emrServerless.role`, role, /^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, 'the ARN of a role')
    isScript(`${at}.emrServerless.script`, script)
    matches(`${at}.emrServerless.spark`, spark, /^[^\n]*$/, 'arguments of spark-submit, in one line')
    return { kind: 'emrServerless', application, role, script, spark }
  }
  const { emrStep: given } = options
  isObject(`${at}.emrStep`, given, '{ cluster, script }')
  onlyKnown(given, ['cluster', 'script', 'spark'], `${at}.emrStep.`)
  const { cluster, script, spark = [] } = given
  matches(`${at}.emrStep.cluster`, cluster, /^j-[0-9A-Z]{1,32}$/, 'the id of a cluster, j-…')
  isScript(`${at}.emrStep.script`, script)
  if (!Array.isArray(spark) || spark.some((each) => typeof each !== 'string'))
    throw new PipelineDefinitionError(`${at}.emrStep.spark: expected arguments of spark-submit, in an array`)
  return { kind: 'emrStep', cluster, script, spark }
}

function defineTrigger(at: string, when: WhenOptions, table: Table): JobTrigger {
  isObject(at, when, "{ partitionComplete: '10 minutes' }")
  onlyKnown(when, TRIGGERS, `${at}.`)
  requireOne(at, when, TRIGGERS)
  if (when.partitionComplete !== undefined) {
    if (windowsOf(table.partitionSpec) === null)
      throw new PipelineDefinitionError(
        `${at}.partitionComplete: the table has no windows; partition it by hour, day, month or year of a time`,
      )
    return { kind: 'partitionComplete', latenessMs: durationMs(`${at}.partitionComplete`, when.partitionComplete) }
  }
  if (when.every !== undefined) return { kind: 'every', periodMs: durationMs(`${at}.every`, when.every) }
  if (when.smallFiles !== undefined) {
    wholeNumber(`${at}.smallFiles`, when.smallFiles, 2, 1_000_000)
    return { kind: 'smallFiles', files: when.smallFiles }
  }
  wholeNumber(`${at}.rows`, when.rows, 1, Number.MAX_SAFE_INTEGER)
  return { kind: 'rows', rows: when.rows }
}

function rerunAfter(option: string, late: LatePolicy): number | null {
  if (late === 'ignore') return null
  if (late === 'rerun') return 1
  matches(option, late, RERUN_AFTER, "'ignore', 'rerun' or 'rerun after 1000 rows'")
  return Number(RERUN_AFTER.exec(late)?.groups?.['rows'])
}

function defineArguments(at: string, given: Readonly<Record<string, string>>): Job['arguments'] {
  isObject(at, given, '{ name: value }')
  for (const [name, value] of Object.entries(given)) {
    matches(at, name, ARGUMENT, 'names of lower-case letters, digits and dashes')
    if (name in DERIVED) throw new PipelineDefinitionError(`${at}.${name}: every run has an argument of that name`)
    if (typeof value !== 'string') throw new PipelineDefinitionError(`${at}.${name}: expected a text`)
  }
  return { ...given }
}

function requireOne(at: string, options: object, names: readonly string[]): void {
  const given = names.filter((name) => (options as Readonly<Record<string, unknown>>)[name] !== undefined)
  if (given.length !== 1)
    throw new PipelineDefinitionError(
      `${at}: expected one of ${names.join(', ')}, found ${given.join(' and ') || 'none'}`,
    )
}

function isScript(option: string, value: unknown): void {
  matches(option, value, /^s3:\/\/[^/]+\/.+$/, 's3:// and a script')
}

function isObject(option: string, value: unknown, expected: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PipelineDefinitionError(`${option}: expected ${expected}`)
}
