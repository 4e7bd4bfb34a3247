import type { DataFile, SliceContent, WriteSlice } from '#shared/pipeline/commit.ts'
import type { KafkaRecord } from '#shared/pipeline/record.ts'
import { kafkaRecord } from './kafka-record.ts'

/** Records of `flights-0` at these offsets, a second apart, each with a value of its own. */
export function recordsAt(...offsets: readonly number[]): KafkaRecord[] {
  const begin = Date.UTC(2013, 0, 1, 10)
  return offsets.map((offset) => kafkaRecord(String(offset), { offset, timestamp: begin + 1000 * offset }))
}

/** The offsets from the first to the last. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/**
 * Stands in for the flow: a file of the accepted offsets in the table `rows` and one of the rejected offsets in the
 * table `dead_letters`, unless it is to be another, a row for each.
 */
export function writeOffsets(rejected: readonly number[] = [], deadLetters = 'dead_letters'): WriteSlice {
  return async (records, attempt) => {
    const offsets = records.map(({ offset }) => offset)
    const refused = offsets.filter((offset) => rejected.includes(offset))
    const accepted = offsets.filter((offset) => !rejected.includes(offset))
    const files: DataFile[] = []
    for (const [table, rows] of [
      ['rows', accepted],
      [deadLetters, refused],
    ] as const) {
      const body = Buffer.from(JSON.stringify(rows))
      if (rows.length === 0) continue
      const place = { table, partitionPath: 'day=2013-01-01', partition: { day: 15706 } }
      files.push(await attempt.writeFile({ ...place, rows: rows.length, format: 'parquet', body }))
    }
    return contentOf(offsets, refused, files)
  }
}

function contentOf(offsets: readonly number[], rejected: readonly number[], files: readonly DataFile[]): SliceContent {
  const written = offsets.length - rejected.length
  return {
    files,
    rejected,
    counts: { records: offsets.length, written, skipped: 0, rejected: rejected.length, rows: written },
    pipelineVersion: 'v1',
    schemaId: 's1',
    specId: 'p1',
    watermark: null,
  }
}
