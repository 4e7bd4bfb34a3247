import { decodeJson } from '#shared/codecs/json.ts'
import { compileContract } from './contract.ts'
import { accept, type Outcome, type PlacedRow, type Rejection, reject, type Step } from './outcome.ts'
import { partitionOf } from './partition.ts'
import type { Pipeline } from './pipeline.ts'
import type { KafkaRecord } from './record.ts'

/** What becomes of one record. It never throws: whatever is wrong with the data is in the outcome. */
export type RecordPath = (record: KafkaRecord) => Outcome

/** The path of a record through a pipeline: decode, contract, transform, row contract, table partition. */
export function compileRecordPath(pipeline: Pipeline): RecordPath {
  const { transform, table } = pipeline
  const checkEvent = compileContract(pipeline.event, 'EVENT_INVALID')
  const checkRow = compileContract(pipeline.row, 'ROW_INVALID')

  return (record) => {
    // A tombstone says "deleted"; a lake of events has nothing to delete.
    if (record.value === null) return { kind: 'skipped', reason: 'tombstone' }
    const decoded = decodeJson(record.value, { exactIntegers: false })
    if (!decoded.ok) return rejected(decoded.rejection)
    const event = checkEvent(decoded.value)
    if (!event.ok) return rejected(event.rejection)
    const transformed = runTransform(transform, event.value, record)
    if (!transformed.ok) return rejected(transformed.rejection)

    const results = transformed.value
    const rows: PlacedRow[] = []
    for (const result of results) {
      const row = checkRow(result)
      if (!row.ok) return rejected(row.rejection)
      const partition = partitionOf(row.value, table.partitionSpec)
      if (!partition.ok) return rejected(partition.rejection)
      rows.push({ row: row.value, partition: partition.value })
    }
    return rows.length === 0 ? { kind: 'skipped', reason: 'transform' } : { kind: 'written', rows }
  }
}

/** The transform's results as a list: null is none, an array is itself. What it throws is the record's fault. */
function runTransform(transform: Pipeline['transform'], event: unknown, record: KafkaRecord): Step<readonly unknown[]> {
  try {
    const result = transform({ value: event as never, record })
    if (result === null) return accept([])
    return accept(Array.isArray(result) ? result : [result])
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error
    const reason = error instanceof Error ? error.message : String(error)
    return reject('TRANSFORM_THREW', null, `the transform threw ${name}: ${reason}`)
  }
}

function rejected(rejection: Rejection): Outcome {
  return { kind: 'rejected', rejection }
}
