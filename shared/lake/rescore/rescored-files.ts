import { randomUUID } from 'node:crypto'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { metricsOf } from '#shared/lake/iceberg/data-file.ts'
import type { Replacement } from '#shared/lake/iceberg/overwrite.ts'
import { tupleKey } from '#shared/lake/iceberg/partition-spec.ts'
import type { LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import { type LiveFile, liveFiles } from '#shared/lake/iceberg/table-files.ts'
import { currentSnapshot } from '#shared/lake/iceberg/table-metadata.ts'
import type { TableOwner } from '#shared/lake/table-marks.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { ScoringOptions } from '#shared/pipeline/score-rows.ts'
import { replaceFiles } from './replaced-files.ts'
import { rescoredFile, type RowsToScore } from './rescored-file.ts'

/** Files that take the place of others in one snapshot. */
const FILES = 50

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
  /** They still wait, as far as was looked. */
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

export function nothing(): Rescored {
  return { scored: 0, unscored: 0, waiting: 0, files: 0, left: [] }
}

/** @returns `whole` when every file was looked at and replaced as meant; `again` when rows are elsewhere by now */
export async function rescoreFiles(
  surroundings: CommitterSurroundings,
  owner: TableOwner,
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
    const replaced = made.length === 0 ? [] : await replaceFiles(surroundings, owner, made)
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
