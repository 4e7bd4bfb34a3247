import { AUDIT_COLUMNS, type Column, RECORD_COLUMNS, TIMESTAMP } from '#shared/pipeline/columns.ts'
import { defineTable } from '#shared/pipeline/table.ts'

const at: Column = { name: 'at', type: TIMESTAMP, nullable: false }
const plain = defineTable('t', [at], { layout: 'files' })
const byDay = defineTable('t', [at], { layout: 'files', partitionBy: { at: 'day' } })
const nullable = defineTable('t', [{ ...at, nullable: true }], { layout: 'files' })

test("a table has the contract's columns, the parts of the record that are kept, and Inlet's own", () => {
  expect(plain.columns).toEqual([at, ...AUDIT_COLUMNS])
  const kept = defineTable('t', [at], { layout: 'files', keep: ['headers', 'key'] })
  expect(kept.columns).toEqual([at, RECORD_COLUMNS.headers, RECORD_COLUMNS.key, ...AUDIT_COLUMNS])
})

test('a table is Parquet and not partitioned unless it says otherwise', () => {
  expect(plain).toMatchObject({ format: 'parquet', partitionSpec: [], keep: [] })
})

test('the id of the schema changes with the columns only', () => {
  expect(byDay.schemaId).toBe(plain.schemaId)
  expect(defineTable('other', [at], { format: 'jsonl.gz' }).schemaId).toBe(plain.schemaId)
  expect(nullable.schemaId).not.toBe(plain.schemaId)
  expect(defineTable('t', [at], { layout: 'files', keep: ['key'] }).schemaId).not.toBe(plain.schemaId)
})

test('the id of the partition spec changes with the spec only', () => {
  expect(defineTable('other', [at], { layout: 'files', keep: ['key'] }).specId).toBe(plain.specId)
  expect(byDay.specId).not.toBe(plain.specId)
  expect(defineTable('t', [at], { layout: 'files', partitionBy: { at: 'hour' } }).specId).not.toBe(byDay.specId)
})
