import { contractRows } from '#shared/formats/contract-rows.ts'
import { type EncodedFile, fileRowsOf } from '#shared/formats/file-rows.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Score } from '#shared/pipeline/score.ts'
import { scoreRows, type ScoringOptions, type Settlement } from '#shared/pipeline/score-rows.ts'

/** Which rows are to be scored, and what became of them. */
export interface RowsToScore {
  isMeant(row: Row, score: Score): boolean
  /** Called for each row that was meant. @param after the row as it is now; the one before when nothing was taken over */
  onSettled(settlement: Settlement, score: Score, before: Row, after: Row): void
}

/**
 * A data file with scores that it had not. What the model does not answer stays as it was; every other value does in any case.
 * @returns undefined when nothing of it has changed
 * @throws Error when it cannot be read as a file of the table (see `contractRows`)
 */
export async function rescoredFile(
  body: Uint8Array,
  { name, version, table, row: contract, scores }: Pipeline,
  rows: RowsToScore,
  scoring: ScoringOptions,
): Promise<EncodedFile | undefined> {
  const written = fileRowsOf(table)
  const parts: Uint8Array[] = []
  let isChanged = false
  for await (const group of contractRows(body, table.columns, contract)) {
    for (const score of scores) if (await scoreSome(group, score, rows, scoring)) isChanged = true
    for (const row of group) written.append(row)
    parts.push(written.spill())
  }
  if (!isChanged) return undefined
  const { body: end, statistics } = written.encode({ 'inlet.pipeline': name, 'inlet.pipeline_version': version })
  return { body: Buffer.concat([...parts, end]), statistics }
}

/** Scores the rows of a group that are meant, in place. @returns whether one of them has changed */
async function scoreSome(group: Row[], score: Score, rows: RowsToScore, scoring: ScoringOptions): Promise<boolean> {
  const meant = group.flatMap((row, i) => (rows.isMeant(row, score) ? [i] : []))
  const made = meant.map((i) => ({ ...group[i] }))
  // Whatever the pipeline does when its rows land: here one can wait.
  const known = meant.length === 0 ? undefined : group.find((row) => hasScore(row, score))
  const settlements = await scoreRows({ ...score, onUnavailable: 'defer' }, made, scoring, known)
  let isChanged = false
  for (const [n, i] of meant.entries()) {
    const [before, after, settlement] = [group[i] as Row, made[n] as Row, settlements[n] as Settlement]
    const isTaken = settlement.kind === 'scored' || (settlement.kind === 'unscored' && !hasScore(before, score))
    if (isTaken) {
      group[i] = after
      isChanged ||= differ(before, after, score)
    }
    rows.onSettled(settlement, score, before, isTaken ? after : before)
  }
  return isChanged
}

export function hasScore(row: Row, { into }: Score): boolean {
  return into.some(({ column }) => (row[column] ?? null) !== null)
}

function differ(before: Row, after: Row, { into, modelVersionInto, reasonInto }: Score): boolean {
  const columns = [...into.map(({ column }) => column), modelVersionInto, reasonInto]
  return columns.some((column) => column !== null && (before[column] ?? null) !== (after[column] ?? null))
}
