import * as z from 'zod'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { SCORE_CODECS } from '#shared/pipeline/score-codec.ts'
import { RISK, ScoredRow, scoredSensors } from '#test/helpers/scored-sensors.ts'

const PLAIN = {
  name: 'sensors',
  topic: 'sensors',
  event: z.object({}),
  row: ScoredRow,
  transform: () => null,
  lake: { table: 'sensors', layout: 'files' },
} as const

test('a score is its declaration, with what was left out', () => {
  const [score] = scoredSensors().scores
  expect(score).toMatchObject({
    name: 'risk',
    endpoint: 'sensor-risk',
    variant: null,
    model: null,
    inferenceComponent: null,
    codec: SCORE_CODECS['text/csv'],
    into: [{ column: 'risk', part: null, isText: false }],
    modelVersionInto: 'model',
    reasonInto: 'why',
    maxRows: 500,
    maxBytes: 6_000_000,
    timeoutMs: 10_000,
    onUnavailable: 'defer',
  })
})

test('a serverless endpoint takes less, and bytes can be fewer but not more', () => {
  expect(scoredSensors({ serverless: true }).scores[0]?.maxBytes).toBe(4_000_000)
  expect(scoredSensors({ batch: { bytes: 5_000_000, rows: 7 } }).scores[0]).toMatchObject({
    maxBytes: 5_000_000,
    maxRows: 7,
  })
  expect(() => scoredSensors({ serverless: true, batch: { bytes: 5_000_000 } })).toThrow(
    'scores.risk.batch.bytes: expected a whole number from 1000 to 4000000, found 5000000',
  )
})

test('several columns take parts of a prediction', () => {
  expect(scoredSensors({ into: { risk: 'p', grade: 1 } }).scores[0]?.into).toMatchObject([
    { column: 'risk', part: 'p', isText: false },
    { column: 'grade', part: 1, isText: true },
  ])
})

test('a column accepts what its contract and its type hold unchanged', () => {
  const accepts = scoredSensors().scores[0]?.into[0]?.accepts
  expect([1, -1e300, 10].map((value) => accepts?.(value))).toEqual([true, true, true])
  expect([11, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined].map((value) => accepts?.(value))).toEqual([
    false,
    false,
    false,
    false,
    false,
  ])
})

test('a score is part of what the pipeline is: its version changes with it', () => {
  expect(scoredSensors().version).toBe(scoredSensors().version)
  expect(scoredSensors({ features: () => [1] }).version).not.toBe(scoredSensors().version)
})

describe('a wrong declaration is refused, and the option and the field are named', () => {
  test.each<[string, object, string]>([
    ['an unknown option', { retries: 3 }, 'pipeline sensors: scores.risk.retries: unknown option; there are endpoint,'],
    ['an unknown option of the batch', { batch: { size: 3 } }, 'scores.risk.batch.size: unknown option'],
    ['no endpoint', { endpoint: undefined }, 'scores.risk.endpoint: expected the name of an endpoint'],
    ['an endpoint of SageMaker has no underscores', { endpoint: 'a_b' }, 'scores.risk.endpoint: expected'],
    ['a variant with a blank', { variant: 'a b' }, 'scores.risk.variant: expected a name'],
    ['features that are no function', { features: ['value'] }, 'scores.risk.features: expected a function'],
    [
      'an unknown content type',
      { contentType: 'text/html' },
      'scores.risk.contentType: expected text/csv, application/json',
    ],
    [
      'a content type beside a codec',
      { contentType: 'text/csv', codec: SCORE_CODECS['text/csv'] },
      'scores.risk.contentType: the codec says',
    ],
    ['half a codec', { codec: { contentType: 'x/y' } }, 'scores.risk.codec: expected { contentType, encodeRow'],
    ['an unknown column', { into: 'rsk' }, 'scores.risk.into: the row contract has no field rsk'],
    ['a column that is not nullable', { into: 'sensor' }, 'scores.risk.into: row.sensor must be nullable'],
    ['a text for a score', { into: 'why' }, 'scores.risk.into: row.why is string; a score is a number'],
    ['a column of Inlet', { into: '_offset' }, 'scores.risk.into: the row contract has no field _offset'],
    ['no columns', { into: {} }, 'scores.risk.into: expected a column'],
    [
      'a part that is none',
      { into: { risk: -1 } },
      'scores.risk.into.risk: expected an index from 0, or a key, found -1',
    ],
    [
      'a reason for a number',
      { reasonInto: 'risk' },
      'scores.risk.reasonInto: row.risk is double, and it takes a text',
    ],
    [
      'a version that is not nullable',
      { modelVersionInto: 'sensor' },
      'scores.risk.modelVersionInto: row.sensor must be nullable',
    ],
    ['one column twice', { reasonInto: 'model' }, 'scores.risk: the column model is written by scores.risk already'],
    ['no time at all', { timeoutMs: 10 }, 'scores.risk.timeoutMs: expected a whole number from 100 to 60000'],
    ['a batch of none', { batch: { rows: 0 } }, 'scores.risk.batch.rows: expected a whole number from 1'],
    ['an unknown policy', { onUnavailable: 'drop' }, 'scores.risk.onUnavailable: expected defer, null, fail'],
  ])('%s', (_name, changes, message) => {
    expect(() => scoredSensors(changes)).toThrow(PipelineDefinitionError)
    expect(() => scoredSensors(changes)).toThrow(message)
  })

  test('a column that the table is partitioned by', () => {
    const lake = { partitionBy: { grade: 'identity' } }
    expect(() => scoredSensors({ into: { grade: 0 } }, lake)).toThrow(
      'scores.risk.into: the table is partitioned by grade, and a score may come later',
    )
  })

  test('rows of plain files that are to wait', () => {
    expect(() => definePipeline({ ...PLAIN, scores: { risk: RISK } })).toThrow(
      "scores.risk.onUnavailable: plain files stay as they are, and no score can come later: say 'null' or 'fail'",
    )
    const { scores } = definePipeline({ ...PLAIN, scores: { risk: { ...RISK, onUnavailable: 'null' } } })
    expect(scores).toHaveLength(1)
  })

  test('two scores in one column', () => {
    expect(() =>
      scoredSensors({}, {}, { other: { ...RISK, modelVersionInto: undefined, reasonInto: undefined } }),
    ).toThrow('scores.other: the column risk is written by scores.risk already')
  })
})
