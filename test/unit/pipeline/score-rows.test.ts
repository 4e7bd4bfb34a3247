import { committedFiles } from '#shared/lake/committed-files.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { logsOf } from '#shared/lake/log-store.ts'
import { verifyLake } from '#shared/lake/verify.ts'
import { compileFlow } from '#shared/pipeline/flow.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { processBatch, type SliceReport } from '#shared/pipeline/process-batch.ts'
import { CsvText } from '#shared/pipeline/score-codec.ts'
import { joinedCounts } from '#shared/pipeline/score-rows.ts'
import type { Scorer, Verdict } from '#shared/pipeline/scorer.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { readParquet } from '#test/helpers/parquet-reader.ts'
import { away, MemoryScorer, scoredSensors } from '#test/helpers/scored-sensors.ts'
import { reading } from '#test/helpers/sensors.ts'

/** Lands readings of these values. */
async function land(
  pipeline: Pipeline,
  scorer: Scorer | undefined,
  values: readonly (number | null)[],
): Promise<{ report: SliceReport; rows: Row[]; store: MemoryStore }> {
  const store = new MemoryStore()
  const records = values.map((value, offset) => kafkaRecord(reading(value), { topic: 'sensors', offset }))
  const delivery = {
    source: { cluster: 'c', topic: 'sensors' },
    partitions: [{ topic: 'sensors', partition: 0, records }],
  }
  const { signal } = new AbortController()
  const scoring = scorer === undefined ? undefined : { scorer, signal }
  const options = { lake: new ObjectStoreLake(store), signal, concurrency: 1, scoring }
  const [report] = await processBatch(compileFlow(pipeline), delivery, options)
  const files = (await committedFiles(store)).get('sensors') ?? []
  const read = await Promise.all(files.map(async ({ path }) => readParquet((await store.get(path)) as Uint8Array)))
  return { report: report as SliceReport, rows: read.flat(), store }
}

const shown = ({ value, risk, grade, model, why }: Row): unknown[] => [value, risk, grade, model, why]

async function scoresIn(store: MemoryStore): Promise<unknown> {
  for await (const { log } of logsOf(store)) return (await log.commitAt(0))?.scores
  return undefined
}

async function faultsIn(store: MemoryStore): Promise<unknown> {
  return (await verifyLake(store, { deep: true })).faults
}

test('each row has its own score, also of records that make several; what is not to be scored has none', async () => {
  const scorer = new MemoryScorer()
  const { report, rows, store } = await land(scoredSensors(), scorer, [1, 0, -2, null, 3])
  expect(rows.map(shown)).toEqual([
    [1, 0.001, 'x', 'v1', null],
    [-2, -0.002, 'x', 'v1', null],
    [2, 0.002, 'x', 'v1', null],
    [null, null, 'x', null, null],
    [3, 0.003, 'x', 'v1', null],
  ])
  expect(scorer.asked).toEqual([[[1], [-2], [2], [3]]])
  expect(report).toMatchObject({ error: null, rows: 5, skipped: 1, scores: { scored: 4, unscored: 0, waiting: 0 } })
  expect(await scoresIn(store)).toEqual({ risk: { scored: 4, unscored: {}, waiting: {}, deferred: [] } })
  expect(await faultsIn(store)).toEqual([])
})

test('rows whose endpoint is away land without a score, and the commit knows which', async () => {
  const scorer = new MemoryScorer((value) => (Math.abs(value) >= 2 ? away('THROTTLED') : undefined))
  const { report, rows, store } = await land(scoredSensors(), scorer, [1, -2, 0, 3, 4])
  expect(rows.map((row) => [row['risk'], row['model'], row['why']])).toEqual([
    [0.001, 'v1', null],
    ...[-2, 2, 3, 4].map(() => [null, null, 'THROTTLED']),
  ])
  expect(report.scores).toEqual({ scored: 1, unscored: 0, waiting: 4 })
  expect(await scoresIn(store)).toEqual({
    risk: {
      scored: 1,
      unscored: {},
      waiting: { THROTTLED: 4 },
      deferred: [
        [1, 1],
        [3, 4],
      ],
    },
  })
  expect(await faultsIn(store)).toEqual([])
})

test('"null" lands them without a score for good; "fail" fails the slice, which is delivered again', async () => {
  const scorer = new MemoryScorer(() => away())
  const forGood = await land(scoredSensors({ onUnavailable: 'null' }), scorer, [1])
  expect(await scoresIn(forGood.store)).toEqual({
    risk: { scored: 0, unscored: { UNREACHABLE: 1 }, waiting: {}, deferred: [] },
  })
  const { report, rows } = await land(scoredSensors({ onUnavailable: 'fail' }), scorer, [0, 1])
  expect(report.error).toMatchObject({ code: 'SCORE_UNAVAILABLE', stage: 'score', canRetry: true })
  expect(report.error?.message).toMatch(/^sensors-0@1: no score "risk" of the endpoint sensor-risk: UNREACHABLE/)
  expect(rows).toEqual([])
})

test.each(['defer', 'null', 'fail'])('without a scorer every row waits: %s', async (onUnavailable) => {
  const { report, rows } = await land(scoredSensors({ onUnavailable }), undefined, [1, 2])
  expect(report.scores).toEqual({ scored: 0, unscored: 0, waiting: 2 })
  expect(rows.map((row) => row['why'])).toEqual(['NOT_SET_UP', 'NOT_SET_UP'])
})

describe('a prediction that is none leaves the row unscored, for a reason, and its neighbours alone', () => {
  const saying = (prediction: unknown): MemoryScorer =>
    new MemoryScorer((value): Verdict | undefined =>
      value === 2 ? { kind: 'predicted', prediction, modelVersion: 'v1' } : undefined,
    )

  test.each([
    ['NaN', Number.NaN],
    ['a text', '0.5'],
    ['null', null],
    ['true', true],
    ['above the contract', 10.5],
    ['two values', [0.1, 0.2]],
    ['none', []],
    ['an object of two', { a: 1, b: 2 }],
    ['text in a list', ['0.5']],
  ])('%s', async (_name, prediction) => {
    const { report, rows } = await land(scoredSensors(), saying(prediction), [1, 2, 3])
    expect(rows.map((row) => [row['risk'], row['model'], row['why']])).toEqual([
      [0.001, 'v1', null],
      [null, null, 'PREDICTION_INVALID'],
      [0.003, 'v1', null],
    ])
    expect(report.scores).toEqual({ scored: 2, unscored: 1, waiting: 0 })
  })

  test.each([
    ['a list of one', [0.5]],
    ['lists of one', [[0.5]]],
    ['an object of one', { score: 0.5 }],
  ])('%s is one value', async (_name, prediction) => {
    const { rows } = await land(scoredSensors(), saying(prediction), [2])
    expect(rows[0]?.['risk']).toBe(0.5)
  })
})

test('several columns take all of a prediction, or nothing of it', async () => {
  const scorer = new MemoryScorer((value): Verdict => {
    const prediction = { 1: { p: 0.5, label: 'late' }, 2: { p: 0.5 }, 3: { p: 99, label: 'late' } }[value]
    return { kind: 'predicted', prediction, modelVersion: null }
  })
  const { rows } = await land(scoredSensors({ into: { risk: 'p', grade: 'label' } }), scorer, [1, 2, 3])
  expect(rows.map((row) => [row['risk'], row['grade'], row['why']])).toEqual([
    [0.5, 'late', null],
    [null, null, 'PREDICTION_INVALID'],
    [null, null, 'PREDICTION_INVALID'],
  ])
})

test('an empty field of CSV is no label', async () => {
  const scorer = new MemoryScorer((value): Verdict => {
    return {
      kind: 'predicted',
      prediction: [new CsvText('0.5'), new CsvText(value === 1 ? '' : 'late')],
      modelVersion: null,
    }
  })
  const { rows } = await land(scoredSensors({ into: { risk: 0, grade: 1 } }), scorer, [1, 2])
  expect(rows.map((row) => [row['risk'], row['grade'], row['why']])).toEqual([
    [null, null, 'PREDICTION_INVALID'],
    [0.5, 'late', null],
  ])
})

test('features that throw leave their row unscored', async () => {
  const features = ({ value }: { value: number }): number[] => {
    if (value === 2) throw new Error('no features')
    return [value]
  }
  const { rows, report } = await land(scoredSensors({ features }), new MemoryScorer(), [1, 2])
  expect(rows.map((row) => [row['risk'], row['why']])).toEqual([
    [0.001, null],
    [null, 'FEATURES_INVALID'],
  ])
  expect(report.scores).toEqual({ scored: 1, unscored: 1, waiting: 0 })
})

test('counts of chunks are those of all of them', () => {
  const chunk = (first: number, last: number) => ({
    risk: { scored: 1, unscored: { A: 1 }, waiting: { B: last - first + 1 }, deferred: [[first, last]] as const },
  })
  expect([chunk(0, 1), chunk(2, 3), chunk(6, 6)].reduce<ReturnType<typeof joinedCounts>>(joinedCounts, {})).toEqual({
    risk: {
      scored: 3,
      unscored: { A: 3 },
      waiting: { B: 5 },
      deferred: [
        [0, 3],
        [6, 6],
      ],
    },
  })
})
