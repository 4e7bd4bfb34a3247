import { loadPipeline, pipelineFiles } from '#shared/cli/pipelines.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { compileFlow, type Flow } from '#shared/pipeline/flow.ts'
import { processBatch, type SliceReport } from '#shared/pipeline/process-batch.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { originOf, outcomesIn, readLake } from './lake-contents.ts'
import { deliveriesOf, expectedOutcomes, type RawRecord, rawRecords, readSamples, type Sample } from './samples.ts'

/** Every sample of events/ through every pipeline of functions/ that reads its topic; there is no list to maintain. */
const pipelines = await Promise.all([...pipelineFiles().keys()].map(loadPipeline))
const samples = readSamples()
const pairs = pipelines.flatMap((pipeline) =>
  samples.flatMap((sample) => (sample.topic === pipeline.topic ? [{ pipeline, sample }] : [])),
)

const rejectionsOf = (sample: Sample, pipeline: string): string[] =>
  [...expectedOutcomes(sample, pipeline).values()].filter((verdict) => verdict !== 'written' && verdict !== 'skipped')

const directory = temporaryDirectory()
const open = (): DirectoryStore => new DirectoryStore(directory())

/** Delivers samples one after another as one warm function would, or each time as a cold one. */
async function deliver(flow: Flow, store: DirectoryStore, order: readonly Sample[]): Promise<SliceReport[]> {
  const lake = new ObjectStoreLake(store)
  const options = { lake, signal: new AbortController().signal, concurrency: 4 }
  const reports: SliceReport[] = []
  for (const delivery of order.flatMap(deliveriesOf)) reports.push(...(await processBatch(flow, delivery, options)))
  return reports
}

function sum(
  reports: readonly SliceReport[],
  count: 'records' | 'known' | 'written' | 'skipped' | 'rejected' | 'rows',
): number {
  return reports.reduce((total, report) => total + report[count], 0)
}

const firstTimestamp = (sample: Sample): number =>
  Math.min(
    ...rawRecords(sample)
      .values()
      .map(({ timestamp }) => timestamp),
  )
const bytesOf = (base64: string | null | undefined): Uint8Array | null =>
  base64 === null || base64 === undefined ? null : new Uint8Array(Buffer.from(base64, 'base64'))
const headersOf = ({ headers }: RawRecord): unknown[] =>
  headers.flatMap((header) => Object.entries(header).map(([name, bytes]) => ({ name, value: Uint8Array.from(bytes) })))

test('every pipeline has samples, and every sample a pipeline', () => {
  const topics = new Set(pipelines.map(({ topic }) => topic))
  expect(new Set(samples.map(({ topic }) => topic))).toEqual(topics)
  expect(topics.size).toBeGreaterThan(0)
})

test.each(samples.filter(({ file }) => file.endsWith('.json')))(
  'the records of $topic/$file lie in their own group, offsets and times ascending',
  (sample) => {
    for (const event of sample.events as { records: Record<string, RawRecord[]> }[]) {
      for (const [group, records] of Object.entries(event.records)) {
        let before = { offset: -1, timestamp: -1 }
        for (const { topic, partition, offset, timestamp } of records) {
          expect(`${topic}-${partition}`).toBe(group)
          expect(topic).toBe(sample.topic)
          expect(offset).toBeGreaterThan(before.offset)
          expect(timestamp).toBeGreaterThanOrEqual(before.timestamp)
          before = { offset, timestamp }
        }
      }
    }
  },
)

describe.each(pairs)('pipeline $pipeline.name, sample $sample.file', ({ pipeline, sample }) => {
  const flow = compileFlow(pipeline)

  test('every record ends in exactly one place, and in the one expected', async () => {
    const expected = expectedOutcomes(sample, pipeline.name)
    const reports = await deliver(flow, open(), [sample])

    expect(reports.map(({ error }) => error)).toEqual(reports.map(() => null))
    const contents = await readLake(open(), flow)
    expect(outcomesIn(contents, rawRecords(sample).keys(), sample.topic)).toEqual(expected)
    const verdicts = [...expected.values()]
    const written = verdicts.filter((verdict) => verdict === 'written').length
    const skipped = verdicts.filter((verdict) => verdict === 'skipped').length
    expect(sum(reports, 'records')).toBe(expected.size)
    expect(sum(reports, 'written')).toBe(written)
    expect(sum(reports, 'skipped')).toBe(skipped)
    expect(sum(reports, 'rejected')).toBe(expected.size - written - skipped)
    expect(contents.rows).toHaveLength(sum(reports, 'rows'))
    expect(contents.deadLetters).toHaveLength(sum(reports, 'rejected'))
  })

  test('a second delivery, warm or cold, adds nothing', async () => {
    const store = open()
    await deliver(flow, store, [sample, sample])
    const keys = await keysOf(store, '')
    const again = await deliver(flow, store, [sample])

    expect(sum(again, 'known')).toBe(rawRecords(sample).size)
    expect(sum(again, 'records')).toBe(rawRecords(sample).size)
    expect(await keysOf(store, '')).toEqual(keys)
    const { rows, deadLetters } = await readLake(store, flow)
    const origins = [...rows, ...deadLetters].map((row) => `${originOf(row, sample.topic)} ${Number(row['_index'])}`)
    expect(new Set(origins).size).toBe(origins.length)
  })
})

const withRejections = pairs.filter(({ pipeline, sample }) => rejectionsOf(sample, pipeline.name).length > 0)

test.each(withRejections)(
  'a dead letter of $pipeline.name holds a record of $sample.file as it was sent',
  async ({ pipeline, sample }) => {
    const flow = compileFlow(pipeline)
    await deliver(flow, open(), [sample])
    const { deadLetters } = await readLake(open(), flow)
    const sent = rawRecords(sample)
    expect(deadLetters).toHaveLength(rejectionsOf(sample, pipeline.name).length)
    for (const letter of deadLetters) {
      const record = sent.get(originOf(letter, sample.topic)) as RawRecord
      const { key, value, headers } = letter
      expect({ key, value, headers }).toEqual({
        key: bytesOf(record.key),
        value: bytesOf(record.value),
        headers: headersOf(record),
      })
      expect(letter['_timestamp']).toEqual(new Date(record.timestamp))
    }
  },
)

describe.each(pipelines)('pipeline $name, all MSK events of its topic', (pipeline) => {
  const flow = compileFlow(pipeline)
  const deliveries = samples.filter(({ topic, file }) => topic === pipeline.topic && file.endsWith('.json'))
  const inTime = deliveries.toSorted((a, b) => firstTimestamp(a) - firstTimestamp(b))
  const orders = { 'as they came': inTime, 'the last first': inTime.toReversed() }

  test.each(Object.entries(orders))('delivered %s, they make one sound lake', async (_order, order) => {
    const store = open()
    const reports = await deliver(flow, store, order)
    expect(reports.map(({ error }) => error)).toEqual(reports.map(() => null))

    const positions = order.flatMap((sample) => [...rawRecords(sample).keys()])
    expect(new Set(positions).size).toBe(positions.length)
    const expected = order.flatMap((sample) => [...expectedOutcomes(sample, pipeline.name)])
    expect(outcomesIn(await readLake(store, flow), positions, pipeline.topic)).toEqual(new Map(expected))
    const { faults, orphans, counts } = await verifyLake(store, { deep: true })
    expect({ faults, orphans, records: counts.records }).toEqual({ faults: [], orphans: [], records: positions.length })
  })
})
