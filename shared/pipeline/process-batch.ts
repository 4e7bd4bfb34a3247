import pMap from 'p-map'
import type {
  Attempt,
  DataFile,
  EntryName,
  Lake,
  Landing,
  NewDataFile,
  SliceContent,
  SliceLog,
  SourceTopic,
  WriteSlice,
} from './commit.ts'
import { asInletError, InletError } from './errors.ts'
import type { Flow } from './flow.ts'
import type { Counts } from './outcome.ts'
import { partitionValues } from './partition.ts'
import { partitionPath } from './partition-path.ts'
import type { Pipeline } from './pipeline.ts'
import type { KafkaRecord, PartitionRecords } from './record.ts'
import type { ScoringOptions } from './score-rows.ts'
import { NO_SCORER } from './scorer.ts'
import type { TablePartition } from './table-partitions.ts'
import { type Tabulation, tabulate } from './tabulate.ts'
import { tabulateScored } from './tabulate-scored.ts'

/** What one invocation delivers: records of one topic, by Kafka partition. */
export interface Delivery {
  readonly source: SourceTopic
  readonly partitions: readonly PartitionRecords[]
}

/** What became of the records of one Kafka partition in one delivery. */
export interface SliceReport extends Counts {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** Records that an earlier delivery had landed. */
  readonly known: number
  /** The commits and amendments that it became, as the log has them: `commit 1200`, by its first offset, `amendment 0 of commit 1200`. */
  readonly commits: readonly string[]
  readonly files: number
  readonly bytes: number
  /** Of a pipeline with scores. */
  readonly scores?: ScoreReport
  /** Why the slice failed; its records have to be delivered again. */
  readonly error: InletError | null
}

/** What became of the rows of a slice, all scores together. */
export interface ScoreReport {
  readonly scored: number
  /** They have no score, and wait for none. */
  readonly unscored: number
  /** They wait for their score. */
  readonly waiting: number
}

export interface BatchOptions {
  readonly lake: Lake
  /** Needed by pipelines with scores: without it their rows wait for them. */
  readonly scoring?: ScoringOptions | undefined
  /** Aborted when too little time is left to begin anything. */
  readonly signal: AbortSignal
  /** Slices, and files of one slice, that are written at a time. */
  readonly concurrency: number
}

/** Lands a delivery, slice by slice. Never throws for a slice: its report says what failed, after all work has settled. */
export function processBatch(flow: Flow, delivery: Delivery, options: BatchOptions): Promise<SliceReport[]> {
  const write = writeSlice(flow, options)
  const land = (slice: PartitionRecords): Promise<SliceReport> =>
    landSlice(slice, options.lake.openLog(flow.pipeline, delivery.source, slice.partition), write)
  return pMap(delivery.partitions, land, { concurrency: options.concurrency })
}

/** Lands the records of one Kafka partition in a log. Never throws: the report says what failed. */
export async function landSlice(slice: PartitionRecords, log: SliceLog, write: WriteSlice): Promise<SliceReport> {
  try {
    return sliceReport(slice, await log.land(slice.records, write), null)
  } catch (error) {
    return sliceReport(slice, NOTHING, asInletError(error, `landing ${slice.topic}-${slice.partition}`))
  }
}

/** The flow's write step: records become rows, and rows become files; the entry that the log puts makes them visible. */
export function writeSlice(flow: Flow, { scoring, signal, concurrency }: Omit<BatchOptions, 'lake'>): WriteSlice {
  const { pipeline } = flow
  return async (records: readonly KafkaRecord[], attempt: Attempt) => {
    requireTime(signal, records)
    const { tabulation, scores } =
      pipeline.scores.length === 0
        ? { tabulation: tabulate(records, flow, attempt.epoch), scores: undefined }
        : await tabulateScored(records, flow, attempt.epoch, scoring ?? { scorer: NO_SCORER, signal })
    const write = (partition: TablePartition): Promise<DataFile> =>
      attempt.writeFile(encodeFile(partition, pipeline, attempt))
    const files = await pMap(tabulation.partitions, write, {
      concurrency,
      stopOnError: false, // what has begun must settle before anything is answered
    })
    return sliceContent(tabulation, files, pipeline, scores)
  }
}

/** What a commit says of what was tabulated, once its files are written. */
export function sliceContent(
  { rejected, counts, watermark }: Tabulation,
  files: readonly DataFile[],
  { version, table: { schemaId, specId } }: Pipeline,
  scores?: SliceContent['scores'],
): SliceContent {
  const content = { files, rejected, counts, watermark, pipelineVersion: version, schemaId, specId }
  return scores === undefined ? content : { ...content, scores }
}

/** The data file of a table partition, which takes no more rows. @throws InletError ENCODE_FAILED */
export function encodeFile(
  { table, values, rows }: TablePartition,
  pipeline: Pipeline,
  attempt: Pick<Attempt, 'id'>,
): NewDataFile {
  const { body, statistics } = rows.encode({
    'inlet.pipeline': pipeline.name,
    'inlet.pipeline_version': pipeline.version,
    'inlet.attempt': attempt.id,
  })
  return {
    table: table.name,
    partitionPath: partitionPath(values, table.partitionSpec),
    partition: partitionValues(values, table.partitionSpec),
    rows: rows.count,
    format: table.format,
    body,
    locked: table.lock === null || statistics === null ? null : { spec: table.lock.spec, statistics },
  }
}

function requireTime(signal: AbortSignal, records: readonly KafkaRecord[]): void {
  if (!signal.aborted) return
  const [{ topic, partition }] = records as [KafkaRecord, ...KafkaRecord[]]
  throw new InletError(
    'DEADLINE_NEAR',
    `${topic}-${partition}: too little time is left to land it; it will be delivered again`,
  )
}

const NOTHING: Landing = { known: 0, contents: [] }

function sliceReport(slice: PartitionRecords, { known, contents }: Landing, error: InletError | null): SliceReport {
  const sum = (of: (content: Landing['contents'][number]) => number): number =>
    contents.reduce((total, content) => total + of(content), 0)
  return {
    topic: slice.topic,
    partition: slice.partition,
    firstOffset: slice.records[0]?.offset ?? -1,
    lastOffset: slice.records.at(-1)?.offset ?? -1,
    records: slice.records.length,
    known,
    commits: contents.map(entryText),
    written: sum((content) => content.counts.written),
    skipped: sum((content) => content.counts.skipped),
    rejected: sum((content) => content.counts.rejected),
    rows: sum((content) => content.counts.rows),
    files: sum((content) => content.files.length),
    bytes: sum((content) => content.files.reduce((total, file) => total + file.bytes, 0)),
    ...scoreReport(contents),
    error,
  }
}

function entryText({ start, amends, number }: EntryName): string {
  return amends === null ? `commit ${start}` : `amendment ${number} of commit ${amends}`
}

function scoreReport(contents: Landing['contents']): Pick<SliceReport, 'scores'> {
  if (contents.every(({ scores }) => scores === undefined)) return {}
  const report = { scored: 0, unscored: 0, waiting: 0 }
  for (const { scored, unscored, waiting } of contents.flatMap(({ scores = {} }) => Object.values(scores))) {
    report.scored += scored
    for (const rows of Object.values(unscored)) report.unscored += rows
    for (const rows of Object.values(waiting)) report.waiting += rows
  }
  return { scores: report }
}
