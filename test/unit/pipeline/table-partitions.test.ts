import type { PartitionValue } from '#shared/pipeline/partition.ts'
import { defineTable } from '#shared/pipeline/table.ts'
import { TablePartitions } from '#shared/pipeline/table-partitions.ts'

const column = { name: 'a', type: { kind: 'int32' }, nullable: true } as const
const [rows, letters] = ['rows', 'letters'].map((name) => defineTable(name, [column], { layout: 'files' }))

test('there is one of each table and values, whatever came between', () => {
  const partitions = new TablePartitions()
  const values: readonly (readonly PartitionValue[])[] = [[1], [null], ['1'], ['null'], [''], [true]]
  const [first, again] = [0, 1].map(() =>
    values.flatMap((some) => [rows, letters].map((table) => partitions.at(table as NonNullable<typeof table>, some))),
  )
  expect(new Set(first).size).toBe(2 * values.length)
  expect(again?.every((partition, i) => partition === first?.[i])).toBe(true)
  expect([...partitions.all]).toEqual([...new Set(first)])
})

test('a table without a partitioning has one partition', () => {
  const partitions = new TablePartitions()
  expect(partitions.at(rows as NonNullable<typeof rows>, [])).toBe(partitions.at(rows as NonNullable<typeof rows>, []))
})
