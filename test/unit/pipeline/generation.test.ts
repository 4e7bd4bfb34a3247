import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import { inGeneration } from '#shared/pipeline/generation.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { sensors } from '#test/helpers/sensors.ts'
import * as z from 'zod'

const declare = (generation?: number, table = 'clicks') =>
  definePipeline({
    name: 'clicks',
    topic: 'clicks',
    event: z.object({ url: z.string() }),
    row: z.object({ url: z.string() }),
    transform: ({ value }) => value,
    lake: { table, layout: 'files' },
    ...(generation === undefined ? {} : { generation }),
  })

test('the first generation has the name that was declared, each later one its own', () => {
  expect(declare().generation).toBe(0)
  expect([declare(), declare(0), declare(2)].map(({ table }) => table.name)).toEqual(['clicks', 'clicks', 'clicks_g2'])
  expect(deadLetterTable(declare(2)).name).toBe('clicks_g2_dead_letters')
})

test('the code is the same in every generation, and so is its version', () => {
  expect(declare(3).version).toBe(declare().version)
  expect(declare(3).table.schemaId).toBe(declare().table.schemaId)
})

test('a pipeline moves from any generation to any other', () => {
  expect(inGeneration(sensors, 1)).toMatchObject({ generation: 1, name: 'sensors', table: { name: 'sensors_g1' } })
  expect(inGeneration(declare(2), 10).table.name).toBe('clicks_g10')
  expect(inGeneration(declare(2), 0).table.name).toBe('clicks')
})

test.each([-1, 0.5, Number.NaN, '1' as never])('%s is no generation', (generation) => {
  expect(() => declare(generation)).toThrow('pipeline clicks: generation: expected a whole number from 0')
})

test('no table may be named as that of a replay is', () => {
  expect(() => declare(0, 'clicks_g1')).toThrow('lake.table: clicks_g1 ends like the table of a replay')
})
