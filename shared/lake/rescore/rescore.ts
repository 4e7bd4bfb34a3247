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
import { randomUUID } from 'node:crypto'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { metricsOf } from '#shared/lake/iceberg/data-file.ts'
import type { Replacement } from '#shared/lake/iceberg/overwrite.ts'
import { tupleKey } from '#shared/lake/iceberg/partition-spec.ts'
import type { LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import { type LiveFile, liveFiles } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot, LOCK_REVISION } from '#shared/lake/iceberg/table-metadata.ts'
import { marksOf, type TableOwner } from '#shared/lake/table-marks.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Score } from '#shared/pipeline/score.ts'
import type { ScoringOptions } from '#shared/pipeline/score-rows.ts'
import { UNAVAILABLE_REASONS } from '#shared/pipeline/scorer.ts'
import { replaceFiles } from './replaced-files.ts'
import { hasScore, rescoredFile, type RowsToScore } from './rescored-file.ts'
import { waitingEntries, WaitingRows } from './waiting-entries.ts'

/** Files that take the place of others in one snapshot. */
const FILES = 50
/** How often rows are looked for again that others have put elsewhere meanwhile. */
const ROUNDS = 20

export interface RescoreOptions {
  readonly scoring: ScoringOptions
  /** Aborted when no further file shall be begun. */
  readonly signal: AbortSignal
  /** Asks, and changes nothing. */
  readonly dryRun?: boolean
  /** Called with the number of files that may hold rows that are meant, and after each that was looked at. */
  readonly onFiles?: (total: number) => void
  readonly onFile?: () => void
}

/** What rescoring came to. Rows. */
export interface Rescored {
  scored: number
  /** They have no score for good. */
  unscored: number
  /** They still wait. */
  waiting: number
  /** Files that were replaced. */
  files: number
  /** Files that were left as they are, and why. */
  readonly left: { readonly location: string; readonly reason: string }[]
}

/** Rows to be scored, and the files that may hold them. */
export interface Meant extends RowsToScore {
  readonly mayHold: (file: LiveFile) => boolean
}

/**
 * Gives the rows that wait for a score theirs. Those that the table has not taken from the log yet wait on.
 * @param all whatever the markers say: after a table was rolled back
 * @throws InletError TABLE_MISSING, TABLE_DIVERGED, TABLE_CHANGED
 */
export async function rescoreWaiting(
  surroundings: CommitterSurroundings,
  pipeline: Pipeline,
  { all = false, ...options }: RescoreOptions & { readonly all?: boolean },
): Promise<Rescored> {
  const { store } = surroundings
  const owner = ownerOf(pipeline)
  const sum = nothing()
  for (let round = 1; ; round++) {
    const base = await loaded(surroundings, owner, pipeline)
    const marks = await marksOf(store, base.metadata, owner)
    const entries = marks === undefined ? [] : await waitingEntries(store, owner, marks, { all })
    if (entries.length === 0) return sum
    const waiting = new WaitingRows(entries)
    sum.waiting = 0
    sum.left.length = 0
    const isSettled = await rescoreFiles(surroundings, pipeline, base, options, sum, {
      mayHold: (file) => waiting.mayBeIn(file, pipeline.table),
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
  const sum = nothing()
  // What was put elsewhere meanwhile is looked for again: only rows that are still meant are asked for.
  for (let round = 1; round <= ROUNDS; round++) {
    sum.waiting = 0
    sum.left.length = 0
    const base = await loaded(surroundings, ownerOf(pipeline), pipeline)
    if ((await rescoreFiles(surroundings, pipeline, base, options, sum, meant)) !== 'again') break
  }
  return sum
}

/** @returns `whole` when every file was looked at and replaced as meant; `again` when rows are elsewhere by now */
async function rescoreFiles(
  surroundings: CommitterSurroundings,
  pipeline: Pipeline,
  base: LoadedTable,
  { scoring, signal, dryRun = false, onFiles, onFile }: RescoreOptions,
  sum: Rescored,
  meant: Meant,
): Promise<'whole' | 'again' | 'stopped'> {
  const { tables } = surroundings
  const located = tables.filesAt(base.metadata.location)
  const { files, deletes } = await filesOf(surroundings, base)
  const candidates = files.filter((file) => meant.mayHold(file))
  onFiles?.(candidates.length)
  let made: (Replacement & { readonly counts: Pick<Rescored, 'scored' | 'unscored'> })[] = []
  let isRaced = false
  const replace = async (): Promise<void> => {
    const replaced = made.length === 0 ? [] : await replaceFiles(surroundings, ownerOf(pipeline), made)
    const done = new Set(replaced.map(({ location }) => location))
    for (const { location, counts } of made) {
      if (!done.has(location)) continue
      sum.files += 1
      sum.scored += counts.scored
      sum.unscored += counts.unscored
    }
    if (done.size < made.length) isRaced = true
    made = []
  }
  for (const file of candidates) {
    if (signal.aborted) break
    if (deletes.has(partitionOf(file)) || deletes.has(EVERYWHERE)) {
      sum.left.push({ location: file.location, reason: 'delete files apply to its partition: compact the table first' })
      continue
    }
    const counts = { scored: 0, unscored: 0 }
    const counted: RowsToScore = {
      isMeant: (row, score) => meant.isMeant(row, score),
      onSettled(settlement, score, before, after) {
        if (settlement.kind === 'waiting') sum.waiting += 1
        else if (settlement.kind !== 'unneeded') counts[settlement.kind] += 1
        meant.onSettled(settlement, score, before, after)
      },
    }
    const rescored = await attempt(() =>
      located.read(file.location).then((body) => rescoredFile(body, pipeline, counted, scoring)),
    )
    if (rescored instanceof Error) sum.left.push({ location: file.location, reason: rescored.message })
    else if (rescored === undefined || dryRun) {
      sum.scored += counts.scored
      sum.unscored += counts.unscored
    } else {
      const location = newLocation(file)
      await located.put(location, rescored.body)
      const { body, statistics } = rescored
      made.push({
        location: file.location,
        file: { ...file, location, bytes: body.length, ...metricsOf(statistics) },
        counts,
      })
      if (made.length === FILES) await replace()
    }
    onFile?.()
  }
  await replace()
  if (signal.aborted) return 'stopped'
  return isRaced ? 'again' : 'whole'
}

/** What is wrong with one file leaves it as it is; a fault of the world ends the run. */
async function attempt<T>(work: () => Promise<T>): Promise<T | Error> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof InletError || !(error instanceof Error)) throw error
    return error
  }
}

/** The data files of the table as it is now, and the partitions to which delete files apply. */
async function filesOf(
  { tables }: CommitterSurroundings,
  { metadata }: LoadedTable,
): Promise<{ files: LiveFile[]; deletes: ReadonlySet<string> }> {
  const files: LiveFile[] = []
  const deletes = new Set<string>()
  const snapshot = currentSnapshot(metadata)
  const located = tables.filesAt(metadata.location)
  if (snapshot === undefined) return { files, deletes }
  for await (const file of liveFiles(metadata, snapshot, (location) => located.read(location))) {
    if (file.content === 'data') files.push(file)
    else deletes.add(file.partition.length === 0 ? EVERYWHERE : partitionOf(file))
  }
  return { files, deletes }
}

/** Deletes of a spec without partitions may be of any (specification, "Scan Planning"). */
const EVERYWHERE = ''

function partitionOf({ spec, partition }: LiveFile): string {
  return `${spec} ${tupleKey(partition)}`
}

/** Beside the old one, under a name that is none of a slice's: nothing but the table says whether it is needed. */
function newLocation({ location }: LiveFile): string {
  return `${location.slice(0, location.lastIndexOf('/'))}/rescored-${randomUUID()}.parquet`
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

function nothing(): Rescored {
  return { scored: 0, unscored: 0, waiting: 0, files: 0, left: [] }
}
