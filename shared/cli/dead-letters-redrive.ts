import { lettersWith } from '#shared/lake/dead-letters-land.ts'
import { countCommits, redriveDeadLetters } from '#shared/lake/dead-letters-redrive.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { dryRedriveStore } from '#shared/lake/redrive-log.ts'
import { compileFlow, type Flow } from '#shared/pipeline/flow.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { ownFunctions, RedriveRefusedError, redriveFailedBatches } from '#shared/runtimes/failed-batches.ts'
import { type RedriveSummary, RedriveTally } from '#shared/runtimes/redrive-tally.ts'
import type { DeadLetterFilter } from './dead-letter-tables.ts'
import { chosenBySql } from './dead-letters-choice.ts'
import { UsageError } from './failure.ts'
import { requireLake } from './missing-lake.ts'
import { pipelineFiles } from './pipelines.ts'
import { Progress } from './progress.ts'

const CONCURRENCY = 8

/** What the command is called with. */
export interface RedriveCall extends Omit<DeadLetterFilter, 'all'> {
  readonly lake: string
  readonly dryRun?: boolean
  /** An SQL condition over the columns of the dead-letter table. */
  readonly where?: string
  /** Where failed batches wait: they land instead of dead letters. */
  readonly failureDestination?: string
  /** The epoch that the failed batches belong to. */
  readonly epoch?: number
  /** The function that the failed batches were meant for. */
  readonly function?: string
}

/** What the command came to. */
export interface RedriveOutcome extends RedriveSummary {
  readonly pipeline: string
  readonly dryRun: boolean
  /** Where the records came from; null for dead letters. */
  readonly failureDestination: string | null
}

/**
 * Lands dead letters of a pipeline, or the batches of a failure destination, again, with a progress bar.
 * @throws UsageError for options that do not go together, or that leave open which epoch is meant
 */
export async function redrive(pipeline: Pipeline, call: RedriveCall): Promise<RedriveOutcome> {
  requireOneSource(call)
  const { dryRun = false, failureDestination } = call
  const lake = openLake(call.lake)
  const flow = compileFlow(pipeline)
  const tally = new RedriveTally()
  const target = dryRun ? dryRedriveStore(lake, flow, tally.codes) : lake
  if (failureDestination === undefined) await fromDeadLetters(lake, target, flow, call, tally)
  else await fromFailureDestination(openStore(failureDestination), target, flow, call, tally)
  return { pipeline: pipeline.name, dryRun, failureDestination: failureDestination ?? null, ...tally.summary() }
}

/** Whether all that was to land has landed, but for what is not the pipeline's. */
export function isComplete({ failed, left }: RedriveSummary): boolean {
  return failed === 0 && left.failed === 0 && left.unreadable === 0
}

const OF_DEAD_LETTERS = ['where', 'table', 'code', 'field', 'topic', 'partition', 'offset'] as const
const OF_FAILED_BATCHES = ['epoch', 'function'] as const

function requireOneSource(call: RedriveCall): void {
  const batches = call.failureDestination !== undefined
  const foreign = (batches ? OF_DEAD_LETTERS : OF_FAILED_BATCHES).find((option) => call[option] !== undefined)
  if (foreign === undefined) return
  throw new UsageError(
    batches
      ? `--${foreign} chooses among dead letters; the batches of a failure destination land as they are`
      : `--${foreign} is said of failed batches: it needs --failure-destination`,
  )
}

async function fromDeadLetters(
  lake: ObjectStore,
  target: ObjectStore,
  flow: Flow,
  call: RedriveCall,
  tally: RedriveTally,
): Promise<void> {
  await requireLake(lake)
  const { topic, partition, offset, table, where } = call
  const logs = { topic, partition, from: offset, to: offset }
  const needsSql = table !== undefined || where !== undefined
  const isMeant = needsSql ? await chosenBySql(lake, flow.pipeline, call, where ?? 'true') : lettersWith(call)
  const commits = await countCommits(lake, flow.pipeline, logs)
  await withProgress(flow, call, commits, 'commits', async (advance) => {
    const options = { logs, isMeant, signal: NEVER, concurrency: CONCURRENCY, onCommit: advance }
    await redriveDeadLetters(target, flow, { ...options, onSlice: (report) => tally.land(report) })
  })
}

async function fromFailureDestination(
  destination: ObjectStore,
  target: ObjectStore,
  flow: Flow,
  call: RedriveCall,
  tally: RedriveTally,
): Promise<void> {
  const isOwn = ownFunctions(flow.pipeline.name, [...pipelineFiles().keys(), flow.pipeline.name], call.function)
  const { epoch, dryRun = false } = call
  let objects = 0
  for await (const _ of destination.list('')) objects += 1
  try {
    await withProgress(flow, call, objects, 'objects', async (advance) => {
      const options = { isOwn, epoch, dryRun, signal: NEVER, concurrency: CONCURRENCY, onObject: advance }
      await redriveFailedBatches(destination, target, flow, {
        ...options,
        onSlice: (report) => tally.land(report),
        onLeft: (object) => tally.leave(object),
      })
    })
  } catch (error) {
    throw error instanceof RedriveRefusedError ? new UsageError(error.message) : error
  }
}

/** A command has all the time it needs. */
const NEVER = new AbortController().signal

async function withProgress(
  { pipeline }: Flow,
  { dryRun }: RedriveCall,
  total: number,
  unit: string,
  work: (advance: () => void) => Promise<void>,
): Promise<void> {
  const progress = new Progress(`${dryRun === true ? 'try to redrive' : 'redrive'} ${pipeline.name}`, total, unit)
  try {
    await work(() => progress.advance(1))
  } finally {
    progress.stop()
  }
}
