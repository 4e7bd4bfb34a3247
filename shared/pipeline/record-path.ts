import { compileContract } from './contract.ts'
import { compileEventPath } from './event-path.ts'
import { thrownText } from './message.ts'
import { accept, type Outcome, type PlacedRow, type Rejection, reject, type Step } from './outcome.ts'
import { partitionOf } from './partition.ts'
import type { Pipeline } from './pipeline.ts'
import type { KafkaRecord } from './record.ts'
import { holdsSensitive } from './sensitive.ts'
import type { Table } from './table.ts'

/** What becomes of one record. It never throws: whatever is wrong with the data is in the outcome. */
export type RecordPath = (record: KafkaRecord) => Outcome

/** The path of a record through a pipeline: decode, contract, transform, row contract, table partition. */
export function compileRecordPath(pipeline: Pipeline): RecordPath {
  const { transform, table, tombstones } = pipeline
  const hasSecrets = holdsSensitive(pipeline.event)
  const readEvent = compileEventPath(pipeline)
  // A row may hold what was sensitive in its event, in whatever field.
  const checkRow = compileContract(pipeline.row, 'ROW_INVALID', { quiet: hasSecrets })
  const quiet = hasSecrets || holdsSensitive(pipeline.row)

  return (record) => {
    if (record.value === null) return ofTombstone(tombstones, table)
    const event = readEvent(record.value)
    if (!event.ok) return rejected(event.rejection)
    const transformed = runTransform(transform, event.value, record, quiet)
    if (!transformed.ok) return rejected(transformed.rejection)

    const results = transformed.value
    const rows: PlacedRow[] = []
    for (const result of results) {
      // To zod a promise is an object like any other: one without fields.
      if (result instanceof Promise) return rejected(NO_ROW)
      const row = checkRow(result)
      if (!row.ok) return rejected(row.rejection)
      const partition = partitionOf(row.value, table.partitionSpec)
      if (!partition.ok) return rejected(partition.rejection)
      rows.push({ row: row.value, partition: partition.value })
    }
    return rows.length === 0 ? { kind: 'skipped', reason: 'transform' } : { kind: 'written', rows }
  }
}

const NO_ROW: Rejection = { code: 'ROW_INVALID', field: null, message: 'expected a row, found a promise' }

/** What a null value comes to: a tombstone says that its key is deleted, which a lake of events may or may not care for. */
function ofTombstone(policy: Pipeline['tombstones'], table: Table): Outcome {
  if (policy === 'skip') return { kind: 'skipped', reason: 'tombstone' }
  if (policy === 'reject') return rejected({ code: 'VALUE_MISSING', field: null, message: 'the value is a tombstone' })
  return { kind: 'written', rows: [{ row: {}, partition: table.partitionSpec.map(() => null) }] }
}

/** The transform's results as a list: null is none, an array is itself. What it throws is the record's fault. */
function runTransform(
  transform: Pipeline['transform'],
  event: unknown,
  record: KafkaRecord,
  quiet: boolean,
): Step<readonly unknown[]> {
  try {
    const result = transform({ value: event as never, record })
    if (result === null) return accept([])
    return accept(Array.isArray(result) ? result : [result])
  } catch (error) {
    return reject('TRANSFORM_THREW', null, `the transform threw ${thrownText(error, quiet)}`)
  }
}

function rejected(rejection: Rejection): Outcome {
  return { kind: 'rejected', rejection }
}
