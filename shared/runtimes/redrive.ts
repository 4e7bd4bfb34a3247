import process from 'node:process'
import type { Context } from 'aws-lambda'
import { readConfig } from '#shared/config.ts'
import { lettersWith } from '#shared/lake/dead-letters-land.ts'
import { redriveDeadLetters, type RedrivePlace } from '#shared/lake/dead-letters-redrive.ts'
import { generationPrefix } from '#shared/lake/log-keys.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { openLake } from '#shared/lake/open-lake.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { dryRedriveStore } from '#shared/lake/redrive-log.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { SliceReport } from '#shared/pipeline/process-batch.ts'
import { ownFunctions, RedriveRefusedError, redriveFailedBatches } from './failed-batches.ts'
import { invocations } from './invocation.ts'
import { parseRedriveRequest, type RedriveRequest } from './redrive-request.ts'
import { type RedriveSummary, RedriveTally } from './redrive-tally.ts'
import { PowertoolsTelemetry, type Telemetry } from './telemetry.ts'

export interface RedriveAnswer extends RedriveSummary {
  readonly pipeline: string
  readonly dryRun: boolean
  /** Whether all that is meant was looked at. When not: call again, with `next` if there is one. */
  readonly done: boolean
  readonly next: RedrivePlace | null
}

/** What the handler works with; made from the environment on the first invocation where it is not given. */
export interface RedriveSurroundings {
  readonly lake: ObjectStore
  readonly openStore: (url: string) => ObjectStore
  readonly telemetry: Telemetry
  readonly concurrency: number
}

export type RedriveHandler = (event: unknown, context: Context) => Promise<RedriveAnswer>

/**
 * A Lambda handler that lands dead letters, or the batches of a failure destination, again. It begins nothing when its
 * time is nearly over, and says then that it is not done. Landings that fail are counted in the answer.
 * @throws RedriveRefusedError when the event asks for what cannot be done
 */
export function redriveHandler(pipelines: readonly Pipeline[], given?: RedriveSurroundings): RedriveHandler {
  return invocations(
    () => given ?? fromEnvironment(pipelines),
    (event, surroundings, signal) => redrive(pipelines, parseRedriveRequest(event), signal, surroundings),
    (error, { telemetry }) => telemetry.failure(error),
  )
}

async function redrive(
  pipelines: readonly Pipeline[],
  request: RedriveRequest,
  signal: AbortSignal,
  { lake, telemetry, concurrency, ...stores }: RedriveSurroundings,
): Promise<RedriveAnswer> {
  const { dryRun, failureDestination, epoch, where: { code, field, ...logs } = {}, next: resume } = request
  const flow = compileFlow(pipelineNamed(request.pipeline, pipelines))
  const tally = new RedriveTally()
  const target = dryRun ? dryRedriveStore(lake, flow, tally.codes) : lake
  const onSlice = (report: SliceReport): void => {
    if (!dryRun) telemetry.slice(report)
    tally.land(report)
  }
  const answer = (next: RedrivePlace | null, done: boolean): RedriveAnswer => {
    return { pipeline: request.pipeline, dryRun, done, next, ...tally.summary() }
  }
  if (failureDestination === undefined) {
    requireOwn(resume, flow.pipeline)
    const isMeant = lettersWith({ code, field })
    const options = { logs, isMeant, resume: resume ?? undefined, signal, concurrency, onSlice }
    const next = await redriveDeadLetters(target, flow, options)
    return answer(next ?? null, next === undefined)
  }
  const names = pipelines.map(({ name }) => name)
  const isOwn = ownFunctions(flow.pipeline.name, names, request.function)
  const onLeft = tally.leave.bind(tally)
  const options = { isOwn, epoch, dryRun, signal, concurrency, onSlice, onLeft }
  return answer(null, await redriveFailedBatches(stores.openStore(failureDestination), target, flow, options))
}

/** The place of another pipeline's log would skip logs of this one. */
function requireOwn(next: RedriveRequest['next'], { name, generation }: Pipeline): void {
  if (next === null || next === undefined || next.log.startsWith(generationPrefix({ pipeline: name, generation })))
    return
  throw new RedriveRefusedError(`next: ${next.log} is no log of ${name}, generation ${generation}`)
}

function pipelineNamed(name: string, pipelines: readonly Pipeline[]): Pipeline {
  const pipeline = pipelines.find((each) => each.name === name)
  if (pipeline !== undefined) return pipeline
  const names = pipelines.map((each) => each.name).join(', ')
  throw new RedriveRefusedError(`this function has no pipeline "${name}"; there are: ${names}`)
}

function fromEnvironment(pipelines: readonly Pipeline[]): RedriveSurroundings {
  const config = readConfig(process.env)
  const telemetry = new PowertoolsTelemetry('redrive', config)
  const lake = openLake(config.lakeUrl, { catalog: config.catalog, pipelines })
  return { lake, openStore, telemetry, concurrency: config.concurrency }
}
