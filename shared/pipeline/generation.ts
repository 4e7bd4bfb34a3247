import type { Pipeline } from './pipeline.ts'

/** Names that Inlet gives to the tables of replays: no declaration may use them. */
export const GENERATION_SUFFIX = /_g[0-9]+$/

/** The table of a generation lies beside that of the one before: `flights`, then `flights_g1`. */
export function tableOfGeneration(table: string, generation: number): string {
  return generation === 0 ? table : `${table}_g${generation}`
}

/** The same pipeline as another replay of its topic: with logs and tables of its own, and otherwise unchanged. */
export function inGeneration(pipeline: Pipeline, generation: number): Pipeline {
  const { table } = pipeline
  const base = pipeline.generation === 0 ? table.name : table.name.replace(GENERATION_SUFFIX, '')
  return { ...pipeline, generation, table: { ...table, name: tableOfGeneration(base, generation) } }
}
