/**
 * Scores that come later: rows that landed without one, because their endpoint was away, and rows that a new model is to score.
 *
 * How a row of an Iceberg table changes: its file is written anew with the score in it, and one snapshot (`overwrite`) takes the new
 * file for the old one, by compare and swap. Delete files, the other way, would be cheaper to write, but every reader would have to
 * apply them until somebody compacts the table, and not all readers can; the files of a slice are small. Rows are found by
 * their position in whatever file they are now, for another engine may have put files together.
 *
 * Once, whoever else is at work: a row that has its score, or has none for good, is left alone; a file that is no longer there when
 * the swap is made is not replaced, and its rows are looked for again. Who waits is said by the commits themselves: a marker, put
 * before the entry, leads to it, and goes when no row of the entry waits any more. So it may run twice, or be stopped anywhere.
 */
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import type { LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import { LOCK_REVISION } from '#shared/lake/iceberg/table-metadata.ts'
import { marksOf, type TableOwner } from '#shared/lake/table-marks.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Score } from '#shared/pipeline/score.ts'
import { UNAVAILABLE_REASONS } from '#shared/pipeline/scorer.ts'
import { hasScore } from './rescored-file.ts'
import { type Meant, nothing, type Rescored, rescoreFiles, type RescoreOptions } from './rescored-files.ts'
import { isTaken, waitingEntries, type WaitingEntry, waitingPlaces } from './waiting-entries.ts'
import { WaitingRows } from './waiting-rows.ts'

/** Entries of logs that are seen to at a time: what is done of them is done for good, when a run's time does not reach further. */
const ENTRIES = 5000
/** How often rows are looked for again that others have put elsewhere meanwhile. */
const ROUNDS = 20

interface WaitingOptions extends RescoreOptions {
  /** Whatever the markers say: after a table was rolled back. */
  readonly all?: boolean
  /** Entries that are seen to at a time. */
  readonly entries?: number
}

/**
 * Gives the rows that wait for a score theirs. Those that the table has not taken from the log yet wait on.
 * @throws InletError TABLE_MISSING, TABLE_DIVERGED, TABLE_CHANGED
 */
export async function rescoreWaiting(
  surroundings: CommitterSurroundings,
  pipeline: Pipeline,
  { all = false, entries = ENTRIES, ...options }: WaitingOptions,
): Promise<Rescored> {
  const { store } = surroundings
  const owner = ownerOf(pipeline)
  const { metadata } = await loaded(surroundings, owner, pipeline)
  await marksOf(store, metadata, owner)
  const sum = nothing()
  const places = await waitingPlaces(store, owner, { all })
  for (let from = 0; from < places.length && !options.signal.aborted; from += entries) {
    const found = await waitingEntries(places.slice(from, from + entries), { keep: all || options.dryRun === true })
    if (found.length === 0) continue
    const { left, ...counts } = await rescoreEntries(surroundings, pipeline, found, options)
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) sum[name] += counts[name]
    sum.left.push(...left)
  }
  return sum
}

async function rescoreEntries(
  surroundings: CommitterSurroundings,
  pipeline: Pipeline,
  found: readonly WaitingEntry[],
  options: RescoreOptions,
): Promise<Rescored> {
  const owner = ownerOf(pipeline)
  const sum = nothing()
  for (let round = 1; ; round++) {
    const base = await loaded(surroundings, owner, pipeline)
    const marks = await marksOf(surroundings.store, base.metadata, owner)
    const entries = marks === undefined ? [] : found.filter((entry) => isTaken(entry, marks))
    if (entries.length === 0) return sum
    for (const entry of entries) entry.isWaiting = false
    const waiting = new WaitingRows(entries, pipeline.table)
    sum.waiting = 0
    sum.left.length = 0
    const isSettled = await rescoreFiles(surroundings, owner, pipeline, base, options, sum, {
      mayHold: (file) => waiting.mayBeIn(file),
      isMeant: (row, score) => isUnsettled(row, score) && waiting.entryOf(row, score.name) !== undefined,
      onSettled({ kind }, score, before) {
        const entry = waiting.entryOf(before, score.name)
        if (kind === 'waiting' && entry !== undefined) entry.isWaiting = true
      },
    })
    if (isSettled === 'again' && round < ROUNDS) continue
    const isWhole = isSettled === 'whole' && sum.left.length === 0 && options.dryRun !== true
    for (const { log, place, isWaiting } of entries) if (isWhole && !isWaiting) await log.deleteWaiting(place)
    return sum
  }
}

/**
 * Has rows scored anew that have landed long ago, as by a new model.
 * @throws InletError TABLE_MISSING, TABLE_CHANGED
 */
export async function rescoreRows(
  surroundings: CommitterSurroundings,
  pipeline: Pipeline,
  meant: Meant,
  options: RescoreOptions,
): Promise<Rescored> {
  const owner = ownerOf(pipeline)
  const sum = nothing()
  // What was put elsewhere meanwhile is looked for again: only rows that are still meant are asked for.
  for (let round = 1; round <= ROUNDS; round++) {
    sum.waiting = 0
    sum.left.length = 0
    const base = await loaded(surroundings, owner, pipeline)
    if ((await rescoreFiles(surroundings, owner, pipeline, base, options, sum, meant)) !== 'again') break
  }
  return sum
}

/** Whether a row has neither a score nor a reason that stands. */
function isUnsettled(row: Row, score: Score): boolean {
  if (hasScore(row, score)) return false
  const reason = score.reasonInto === null ? null : (row[score.reasonInto] ?? null)
  return reason === null || UNAVAILABLE.has(reason)
}

const UNAVAILABLE: ReadonlySet<unknown> = new Set(UNAVAILABLE_REASONS)

async function loaded(
  { tables }: CommitterSurroundings,
  { table, pipeline }: TableOwner,
  of: Pipeline,
): Promise<LoadedTable> {
  const base = await tables.catalog.load(table)
  if (base === undefined)
    throw new InletError(
      'TABLE_MISSING',
      `the catalog has no table ${table}: make it with "inlet table apply ${pipeline}"`,
    )
  // A column that this pipeline does not know would be lost from files that are written anew.
  const revision = base.metadata.properties[LOCK_REVISION]
  if (revision !== String(of.table.lock?.revision))
    throw new InletError(
      'TABLE_CHANGED',
      `table ${table} is of another revision of ${pipeline}'s lock: run "inlet table apply ${pipeline}", or deploy what made it`,
    )
  return base
}

function ownerOf({ name, generation, table }: Pipeline): TableOwner {
  if (table.layout === 'files')
    throw new InletError('TABLE_MISSING', `${name} has plain files, which stay as they are: no score comes later`)
  return { pipeline: name, generation, table: table.name }
}
