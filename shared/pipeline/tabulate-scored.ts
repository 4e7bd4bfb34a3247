import type { SliceContent } from './commit.ts'
import type { Flow } from './flow.ts'
import type { KafkaRecord } from './record.ts'
import { joinedCounts, scoredRecords, type ScoringOptions } from './score-rows.ts'
import { type Tabulation, Tabulator } from './tabulate.ts'

/** Rows that are held while they are scored, as several requests at a time: more of them would only wait for one another. */
const REQUESTS = 4
const LEAST = 2000

/**
 * As `tabulate`, of a pipeline with scores: some records at a time, so that rows do not outlive their turn by much.
 * @throws InletError UNBALANCED, SCORE_UNAVAILABLE
 */
export async function tabulateScored(
  records: readonly KafkaRecord[],
  flow: Flow,
  epoch: number,
  scoring: ScoringOptions,
): Promise<{ readonly tabulation: Tabulation; readonly scores: SliceContent['scores'] }> {
  const tabulator = new Tabulator(flow, epoch)
  const { rejected } = tabulator.tabulation
  const size = Math.max(LEAST, ...flow.pipeline.scores.map(({ maxRows }) => REQUESTS * maxRows))
  let scores: NonNullable<SliceContent['scores']> = {}
  for (let i = 0; i < records.length; i += size) {
    const some = records.slice(i, i + size)
    const scored = await scoredRecords(some, flow, scoring)
    const before = rejected.length
    tabulator.add(some, scored?.path)
    if (scored !== undefined) scores = joinedCounts(scores, scored.counts(rejected.slice(before)))
  }
  return { tabulation: tabulator.tabulation, scores }
}
