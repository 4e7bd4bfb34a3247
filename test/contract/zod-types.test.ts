/**
 * What zod can say of a field, from the producer's JSON to the lake and back: each type as an event contract reads it, the
 * column that it becomes as a row contract, and the value that a reader of the Parquet file finds.
 */
import * as z from 'zod'
import { type Column, type ColumnType, TIMESTAMP, typeName } from '#shared/pipeline/columns.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import { land, recordsOf } from '#test/helpers/landing.ts'
import { CASES, type Case } from './zod-cases.ts'

function pipelineOf({ event, row = event, toRow = (value) => value }: Case): Pipeline {
  return definePipeline({
    name: 'types',
    topic: 'types',
    event: z.object({ field: event }),
    row: z.object({ field: row }),
    transform: ({ value }) => ({ field: toRow(value.field as never) }) as never,
    lake: { table: 'types', layout: 'files' },
  })
}

const message = (json: string | undefined): string => (json === undefined ? '{}' : `{"field":${json}}`)
const columnText = ({ type, nullable }: Column): string => `${typeName(type)}${nullable ? '?' : ''}`

describe.each(Object.entries(CASES))('%s', (_, example) => {
  const pipeline = pipelineOf(example)

  test(`is a column of ${example.column}`, () => {
    expect(columnText(pipeline.table.columns[0] as Column)).toBe(example.column)
  })

  test('is read back as it was sent', async () => {
    const { reports, rows, deadLetters } = await land(
      pipeline,
      recordsOf(example.values.map(([json]) => message(json))),
    )
    expect(deadLetters.map((letter) => letter['message'])).toEqual([])
    expect(rows.map((row) => row['field'])).toEqual(example.values.map(([, read]) => read))
    expect(reports[0]).toMatchObject({ written: example.values.length, error: null })
  })

  test('refuses what it is not', async () => {
    const values = (example.refused ?? []).map(message)
    const { rows, deadLetters } = await land(pipeline, recordsOf(values))
    expect(rows).toEqual([])
    const letters = deadLetters.map((letter) => Buffer.from(letter['value'] as Uint8Array).toString('utf8'))
    expect(letters).toEqual(values)
    for (const letter of deadLetters)
      expect(letter['code']).toMatch(/^(?:EVENT_INVALID|ROW_INVALID|JSON_NUMBER_OVERFLOW)$/)
  })
})

test('the columns of dates are instants to the microsecond', () => {
  const [column] = pipelineOf({ event: z.date(), column: 'timestamp', values: [] }).table.columns
  expect(column?.type satisfies ColumnType | undefined).toEqual(TIMESTAMP)
})
