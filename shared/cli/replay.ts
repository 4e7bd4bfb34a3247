import { generationsOf } from '#shared/lake/generations.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { inGeneration } from '#shared/pipeline/generation.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { UsageError } from './failure.ts'
import { type RunOptions, type RunSummary, runPipeline, summaryTable } from './run.ts'

/** What a replay came to. */
export interface Replay extends RunSummary {
  readonly generation: number
  readonly table: string
}

/**
 * Runs a pipeline into a generation of its own: the one behind the newest of the lake and of the declaration, or one that
 * an earlier replay has begun.
 * @throws UsageError when the generation that is to go on was not begun by a replay
 */
export async function replayPipeline(
  pipeline: Pipeline,
  options: RunOptions,
  begun: number | undefined,
): Promise<Replay> {
  const generations = await generationsOf(openStore(options.lake), pipeline.name)
  const generation = begun ?? Math.max(pipeline.generation, ...generations) + 1
  if (begun !== undefined && !generations.includes(begun))
    throw new UsageError(
      `generation ${begun} of ${pipeline.name} was never begun; the lake has ${generations.join(', ') || 'none'}; leave --generation out to begin one`,
    )
  if (begun === pipeline.generation)
    throw new UsageError(`generation ${begun} is the one that ${pipeline.name} declares: use run`)
  const replayed = inGeneration(pipeline, generation)
  return { generation, table: replayed.table.name, ...(await runPipeline(replayed, options)) }
}

/** The summary for people, and what to do next. */
export function replayPage(replay: Replay): string {
  const { pipeline, generation, table } = replay
  return `${summaryTable(replay)}

Generation ${generation} of ${pipeline} is in the table ${table}. Once it is what you want, declare generation: ${generation} in
functions/${pipeline}/pipeline.ts: from then on its function writes there.`
}
