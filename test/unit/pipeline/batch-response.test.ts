import { BatchFailedError, batchResponse } from '#shared/pipeline/batch-response.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Delivery, SliceReport } from '#shared/pipeline/process-batch.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'

function report(partition: number, error: InletError | null = null): SliceReport {
  const counts = { records: 3, written: 3, skipped: 0, rejected: 0, rows: 3 }
  const range = { firstOffset: 10, lastOffset: 12 }
  return { ...counts, ...range, topic: 'flights', partition, known: 0, commits: [], files: 1, bytes: 1, error }
}

/** What the reports are of: offsets 10 to 12 of each Kafka partition. */
function deliveryOf(reports: readonly SliceReport[]): Delivery {
  const records = [10, 11, 12].map((offset) => kafkaRecord('', { offset }))
  const partitions = reports.map(({ topic, partition }) => ({ topic, partition, records }))
  return { source: { cluster: 'c', topic: 'flights' }, partitions }
}

const respond = (reports: readonly SliceReport[], partialResponses = false): unknown =>
  batchResponse(reports, deliveryOf(reports), { partialResponses })

const full = new InletError('STORE_FULL', 'the disk is full')

test('a batch whose slices are all durable is acknowledged', () => {
  expect(respond([report(0), report(1)])).toBeUndefined()
  expect(respond([])).toBeUndefined()
  expect(respond([report(0), report(1)], true)).toEqual({ batchItemFailures: [] })
})

test('one slice that failed fails the batch: an on-demand trigger knows no partial answer', () => {
  expect(() => {
    respond([report(0), report(1, full), report(2)])
  }).toThrow(BatchFailedError)
})

test('the failure names every slice that failed, its offsets and why, and none that landed', () => {
  const denied = new InletError('STORE_DENIED', 'no permission')
  expect(() => {
    respond([report(0, full), report(1), report(2, denied)])
  }).toThrow(
    '2 of 3 slices have to be delivered again. ' +
      'flights-0@10…12: STORE_FULL (store): the disk is full ' +
      'flights-2@10…12: STORE_DENIED (store): no permission',
  )
})

test('a trigger that takes partial responses is given every record of each slice that failed, and no other', () => {
  const failures = (partition: number): unknown[] =>
    [10, 11, 12].map((offset) => ({ itemIdentifier: { partition: `flights-${partition}`, offset } }))
  expect(respond([report(0), report(1, full), report(2), report(7, full)], true)).toEqual({
    batchItemFailures: [...failures(1), ...failures(7)],
  })
})
