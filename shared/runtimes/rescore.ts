import process from 'node:process'
import type { Context } from 'aws-lambda'
import { catalogOf, readConfig } from '#shared/config.ts'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { rescoreWaiting } from '#shared/lake/rescore/rescore.ts'
import type { Rescored } from '#shared/lake/rescore/rescored-files.ts'
import { asInletError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Scorer } from '#shared/pipeline/scorer.ts'
import { FunctionTelemetry } from './function-telemetry.ts'
import { invocations } from './invocation.ts'
import { sagemakerScorer } from './scorer.ts'

/** Where rescoring reports what became of the rows of each pipeline. */
export interface RescoreTelemetry {
  begin(context: Context): void
  rescored(pipeline: string, rescored: Rescored): void
  failure(pipeline: string, error: unknown): void
  end(): void
}

/** What the handler works with; made from the environment on the first invocation where it is not given. */
export interface RescoreSurroundings extends CommitterSurroundings {
  readonly scorer: Scorer
  readonly telemetry: RescoreTelemetry
}

export type RescoreHandler = (event: unknown, context: Context) => Promise<Readonly<Record<string, Rescored>>>

/** Thrown when a pipeline's rows could not be scored, once all the others have had their turn. */
class RescoreFailedError extends Error {
  override readonly name = 'RescoreFailedError'
}

/**
 * A Lambda handler that scores the rows that wait for it, of the pipelines that have scores. Made for a schedule: it begins no file
 * when its time is nearly over, and the next invocation goes on. An endpoint that is still away is no failure: its rows wait.
 */
export function rescoreHandler(pipelines: readonly Pipeline[], given?: RescoreSurroundings): RescoreHandler {
  return invocations(
    () => given ?? fromEnvironment(),
    (_event, surroundings, signal) => rescoreAll(pipelines, surroundings, signal),
  )
}

async function rescoreAll(
  pipelines: readonly Pipeline[],
  { scorer, telemetry, ...surroundings }: RescoreSurroundings,
  signal: AbortSignal,
): Promise<Record<string, Rescored>> {
  const all: Record<string, Rescored> = {}
  const failed: string[] = []
  for (const pipeline of pipelines) {
    if (pipeline.scores.length === 0 || pipeline.table.layout === 'files') continue
    try {
      const rescored = await rescoreWaiting(surroundings, pipeline, { scoring: { scorer, signal }, signal })
      all[pipeline.name] = rescored
      telemetry.rescored(pipeline.name, rescored)
    } catch (error) {
      telemetry.failure(pipeline.name, error)
      failed.push(pipeline.name)
    }
  }
  if (failed.length > 0) throw new RescoreFailedError(`could not rescore the tables of ${failed.join(', ')}`)
  return all
}

function fromEnvironment(): RescoreSurroundings {
  const config = readConfig(process.env)
  const store = openStore(config.lakeUrl)
  const telemetry = new PowertoolsRescoreTelemetry('rescore', config)
  const tables = openCatalog(catalogOf(config), store)
  return { store, tables, now: Date.now, scorer: sagemakerScorer(store, () => {}), telemetry }
}

/** Structured logs, by pipeline, and CloudWatch metrics over all of them. */
export class PowertoolsRescoreTelemetry extends FunctionTelemetry implements RescoreTelemetry {
  /** Of one invocation: an alarm on the least number of rows that wait would see that of the pipeline with the fewest. */
  readonly #counts = new Map<string, number>()

  rescored(pipeline: string, { scored, unscored, waiting, files, left }: Rescored): void {
    const counts = {
      'rescored rows': scored,
      'unscored rows': unscored,
      'waiting rows': waiting,
      'files left': left.length,
    }
    for (const [name, count] of Object.entries(counts)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
    this.logger.info('rows rescored', { pipeline, scored, unscored, waiting, files, left: left.slice(0, 10) })
  }

  failure(pipeline: string, error: unknown): void {
    const { code, stage, message } = asInletError(error, `rescoring ${pipeline}`)
    this.measure('rescore failed', 1)
    this.logger.error('rescore failed', { pipeline, code, stage, reason: message })
  }

  override end(): void {
    for (const [name, count] of this.#counts) this.measure(name, count)
    this.#counts.clear()
    super.end()
  }
}
