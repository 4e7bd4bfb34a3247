import process from 'node:process'
import { MetricUnit } from '@aws-lambda-powertools/metrics'
import type { Context } from 'aws-lambda'
import { catalogOf, readConfig } from '#shared/config.ts'
import { createGlueClient } from '#shared/lake/catalog-clients.ts'
import type { CommitterSurroundings, TableCommit } from '#shared/lake/committer.ts'
import { type FilesRegistration, registerFiles } from '#shared/lake/files-registration.ts'
import type { FilesDatabase } from '#shared/lake/glue-partitions.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { commitTables } from '#shared/lake/pipeline-tables.ts'
import { asInletError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { FunctionTelemetry } from './function-telemetry.ts'
import { invocations } from './invocation.ts'

/** Where a committer reports each of its runs, and each pipeline whose tables it could not commit to. */
export interface CommitterTelemetry {
  begin(context: Context): void
  commit(commit: TableCommit): void
  registration(registration: FilesRegistration): void
  failure(pipeline: string, error: unknown): void
  end(): void
}

/** What the committer works with; made from the environment on the first invocation where it is not given. */
export interface CommitterFunctionSurroundings extends CommitterSurroundings {
  readonly telemetry: CommitterTelemetry
  /** Where plain files are registered; null when nobody looks for them in Glue. */
  readonly filesDatabase: FilesDatabase | null
}

/** What an invocation came to. */
export interface CommitterAnswer {
  readonly commits: readonly TableCommit[]
  readonly registrations: readonly FilesRegistration[]
}

/** Thrown when a pipeline's tables could not be committed to, once all the others have had their turn. */
class CommitFailedError extends Error {
  override readonly name = 'CommitFailedError'
}

export type CommitterHandler = (event: unknown, context: Context) => Promise<CommitterAnswer>

/**
 * A Lambda handler that brings what the logs of the pipelines hold into their Iceberg tables, and makes the partitions of
 * plain files known to Glue. Made for a schedule: it begins nothing when its time is nearly over, and the next invocation goes
 * on. Any number may run.
 */
export function committerHandler(
  pipelines: readonly Pipeline[],
  given?: CommitterFunctionSurroundings,
): CommitterHandler {
  return invocations(
    () => given ?? fromEnvironment(),
    (_event, surroundings, signal) => commitAll(pipelines, surroundings, signal),
  )
}

async function commitAll(
  pipelines: readonly Pipeline[],
  surroundings: CommitterFunctionSurroundings,
  signal: AbortSignal,
): Promise<CommitterAnswer> {
  const { telemetry, filesDatabase, store } = surroundings
  const commits: TableCommit[] = []
  const registrations: FilesRegistration[] = []
  const failed: string[] = []
  const onCommit = (commit: TableCommit): void => {
    commits.push(commit)
    telemetry.commit(commit)
  }
  for (const pipeline of pipelines) {
    try {
      await commitTables(surroundings, pipeline, { signal, onCommit })
      if (pipeline.table.layout === 'files' && filesDatabase !== null && !signal.aborted) {
        const registered = await registerFiles(store, filesDatabase, pipeline)
        for (const registration of registered) telemetry.registration(registration)
        registrations.push(...registered)
      }
    } catch (error) {
      telemetry.failure(pipeline.name, error)
      failed.push(pipeline.name)
    }
  }
  if (failed.length > 0) throw new CommitFailedError(`could not commit to the tables of ${failed.join(', ')}`)
  return { commits, registrations }
}

function fromEnvironment(): CommitterFunctionSurroundings {
  const config = readConfig(process.env)
  const store = openStore(config.lakeUrl)
  const telemetry = new PowertoolsCommitterTelemetry('committer', config)
  const catalog = catalogOf(config)
  const tables = openCatalog(catalog, store)
  const database = /^glue:(?<name>.+)$/.exec(catalog)?.groups?.['name']
  const filesDatabase = database === undefined ? null : { glue: createGlueClient(), database, lakeUrl: config.lakeUrl }
  return { store, tables, now: Date.now, telemetry, filesDatabase }
}

/** Structured logs, by table, and CloudWatch metrics over all of them. */
class PowertoolsCommitterTelemetry extends FunctionTelemetry implements CommitterTelemetry {
  override begin(context: Context): void {
    super.begin(context)
    // Of a metric that nobody has ever published an alarm knows nothing, where nothing waits.
    this.measure('commit waited', 0, MetricUnit.Milliseconds)
  }

  commit(commit: TableCommit): void {
    for (const name of ['entries', 'files', 'rows'] as const) this.measure(`committed ${name}`, commit[name])
    if (commit.waitedMs !== null) this.measure('commit waited', commit.waitedMs, MetricUnit.Milliseconds)
    this.logger.info('table committed', { ...commit })
  }

  registration(registration: FilesRegistration): void {
    this.measure('registered partitions', registration.partitions)
    this.logger.info('partitions registered', { ...registration })
  }

  failure(pipeline: string, error: unknown): void {
    const { code, stage, message } = asInletError(error, `committing ${pipeline}`)
    this.measure('commit failed', 1)
    this.logger.error('commit failed', { pipeline, code, stage, reason: message })
  }
}
