import process from 'node:process'
import type { Context } from 'aws-lambda'
import { catalogOf, readConfig } from '#shared/config.ts'
import { awsRunners } from '#shared/jobs/aws-runners.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { asInletError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { failureBucket } from '#shared/pipeline/trigger.ts'
import { ownFunctions } from './failed-batches.ts'
import { FunctionTelemetry } from './function-telemetry.ts'
import { invocations } from './invocation.ts'
import { type JobSurroundings, type RunReport, runRound } from './job-round.ts'
import { UNKNOWN_TOPIC } from './table-view.ts'
import { WaitingBatches } from './waiting-batches.ts'

/** Where rounds report each run that they looked at, and what could not be done. */
export interface JobTelemetry {
  begin(context: Context): void
  run(report: RunReport): void
  failure(of: { readonly pipeline: string; readonly job?: string; readonly scope?: string }, error: unknown): void
  end(): void
}

/** What the function works with; made from the environment on the first invocation where it is not given. */
export interface JobsFunctionSurroundings extends JobSurroundings {
  readonly telemetry: JobTelemetry
}

export interface JobsAnswer {
  readonly runs: readonly RunReport[]
}

export type JobsHandler = (event: unknown, context: Context) => Promise<JobsAnswer>

/** Thrown when something could not be looked at or started, once all else has had its turn. */
class RoundFailedError extends Error {
  override readonly name = 'RoundFailedError'
}

/**
 * A Lambda handler that starts the jobs of the pipelines when their data is there, and follows them. Made for a schedule; what
 * changes of a run's state call it too, but it asks the services itself whatever it is called with. Any number may run.
 */
export function jobsHandler(pipelines: readonly Pipeline[], given?: JobsFunctionSurroundings): JobsHandler {
  return invocations(
    () => given ?? fromEnvironment(pipelines),
    (_event, surroundings, signal) => runRounds(pipelines, surroundings, signal),
  )
}

async function runRounds(
  pipelines: readonly Pipeline[],
  surroundings: JobsFunctionSurroundings,
  signal: AbortSignal,
): Promise<JobsAnswer> {
  const { telemetry } = surroundings
  const runs: RunReport[] = []
  const failed = new Set<string>()
  for (const pipeline of pipelines.filter(({ jobs }) => jobs.length > 0)) {
    const fail = (of: Parameters<JobTelemetry['failure']>[0], error: unknown): void => {
      telemetry.failure(of, error)
      failed.add(pipeline.name)
    }
    const onRun = (report: RunReport): void => {
      telemetry.run(report)
      runs.push(report)
    }
    const onFailure = (run: object, error: unknown): void => fail({ pipeline: pipeline.name, ...run }, error)
    try {
      await runRound(surroundings, pipeline, { signal, onRun, onFailure })
    } catch (error) {
      fail({ pipeline: pipeline.name }, error)
    }
  }
  if (failed.size > 0) throw new RoundFailedError(`could not see to the jobs of ${[...failed].join(', ')}`)
  return { runs }
}

function fromEnvironment(pipelines: readonly Pipeline[]): JobsFunctionSurroundings {
  const config = readConfig(process.env)
  const store = openStore(config.lakeUrl)
  const catalog = catalogOf(config)
  return {
    store,
    tables: openCatalog(catalog, store),
    catalog,
    now: Date.now,
    deadline: (milliseconds) => AbortSignal.timeout(milliseconds),
    runnerOf: awsRunners(),
    waiting: waitingOf(pipelines, openStore),
    topic: () => Promise.resolve(UNKNOWN_TOPIC),
    telemetry: new PowertoolsJobTelemetry('jobs', config),
  }
}

/** Looks into the failure destinations of the pipelines; what was read once is kept. */
export function waitingOf(
  pipelines: readonly Pipeline[],
  open: (url: string) => ObjectStore,
): JobSurroundings['waiting'] {
  const names = pipelines.map(({ name }) => name)
  const known = new Map<string, WaitingBatches>()
  return ({ name, topic, trigger }) => {
    const bucket = failureBucket(trigger)
    if (bucket === null) return Promise.resolve([])
    const isOwn = ownFunctions(name, names, undefined)
    const batches = known.get(name) ?? new WaitingBatches(open(`s3://${bucket}`), topic, isOwn)
    known.set(name, batches)
    return batches.list()
  }
}

/** Structured logs, by run, and CloudWatch metrics over all of them. */
class PowertoolsJobTelemetry extends FunctionTelemetry implements JobTelemetry {
  run(report: RunReport): void {
    const { status, isNew } = report
    if (isNew) this.measure('jobs started', 1)
    if (status.status === 'over')
      this.measure(status.outcome.state === 'succeeded' ? 'jobs succeeded' : 'jobs given up', 1)
    const hasFailed = status.status === 'over' && status.outcome.state === 'gave up'
    this.logger[hasFailed ? 'error' : 'info'](hasFailed ? 'job given up' : 'job', { ...report })
  }

  failure(of: object, error: unknown): void {
    const { code, message } = asInletError(error, 'seeing to its jobs')
    this.measure('jobs failed to start', 1)
    this.logger.error('job not seen to', { ...of, code, reason: message })
  }
}
