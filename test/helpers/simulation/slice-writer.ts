import type { Attempt, DataFile, SliceContent, WriteSlice } from '#shared/pipeline/commit.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import type { Random } from './random.ts'
import { type Code, logName, type TopicPartition } from './topic.ts'

export const ROWS = 'flights'
export const DEAD_LETTERS = 'flights_dead_letters'

/** A row is nothing but the position of its record. */
export function positionsIn(body: Uint8Array): string[] {
  return JSON.parse(Buffer.from(body).toString()) as string[]
}

/**
 * Stands in for the flow between the log and Parquet: files of positions, in the table of rows (sometimes two, as of
 * two table partitions) and in that of dead letters. Each attempt has a table partition of its own, whose name the seed
 * decides: else the random part of the files' names would, in which order a vacuum finds them.
 */
export class SliceWriter {
  readonly #random: Random
  #attempts = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** @param begun hears of each attempt */
  writes(topic: TopicPartition, code: Code, begun: (attempt: Attempt) => void): WriteSlice {
    return async (records, attempt) => {
      begun(attempt)
      const directory = `at=${this.#random.between(100, 999)}.${this.#attempts++}`
      const by = { written: [] as KafkaRecord[], skipped: [] as KafkaRecord[], rejected: [] as KafkaRecord[] }
      for (const record of records) by[topic.outcomeOf(record, code)].push(record)
      const middle = this.#random.chance(0.2) ? by.written.length >> 1 : 0
      const files: DataFile[] = []
      for (const some of [by.written.slice(0, middle), by.written.slice(middle)])
        if (some.length > 0) files.push(await write(attempt, ROWS, directory, some))
      if (by.rejected.length > 0) files.push(await write(attempt, DEAD_LETTERS, directory, by.rejected))
      return contentOf(records, by, files)
    }
  }
}

function write(
  attempt: Attempt,
  table: string,
  partitionPath: string,
  records: readonly KafkaRecord[],
): Promise<DataFile> {
  const { epoch } = attempt
  const positions = records.map(({ partition, offset }) => `${logName({ partition, epoch })}@${offset}`)
  const body = Buffer.from(JSON.stringify(positions))
  return attempt.writeFile({ table, partitionPath, partition: {}, rows: records.length, format: 'parquet', body })
}

function contentOf(
  records: readonly KafkaRecord[],
  by: Record<'written' | 'skipped' | 'rejected', readonly KafkaRecord[]>,
  files: readonly DataFile[],
): SliceContent {
  const { written, skipped, rejected } = by
  return {
    files,
    rejected: rejected.map(({ offset }) => offset),
    counts: {
      records: records.length,
      written: written.length,
      skipped: skipped.length,
      rejected: rejected.length,
      rows: written.length,
    },
    pipelineVersion: '1',
    schemaId: '1',
    specId: '1',
    watermark: written.at(-1)?.timestamp ?? null,
  }
}
