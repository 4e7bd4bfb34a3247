import fc from 'fast-check'
import type { FileRows } from '#shared/formats/file-rows.ts'
import { JsonLinesRows } from '#shared/formats/json-lines.ts'
import { ParquetRows } from '#shared/formats/parquet.ts'
import { countRows } from '#test/helpers/row-count.ts'
import { arbitraryTable } from '#test/helpers/arbitrary-tables.ts'
import { duckDBType, readLinesWithDuckDB, readWithDuckDB } from '#test/helpers/duckdb-reader.ts'
import { readWithHyparquet } from '#test/helpers/hyparquet-reader.ts'
import { readLines } from '#test/helpers/json-lines-reader.ts'
import { encoded, type SampledTable } from '#test/helpers/sampled-table.ts'

/** The file of a table's rows, whose number is checked before and after. */
function fileOf(file: FileRows, { rows }: SampledTable, name: string): Uint8Array {
  const body = encoded(file, rows)
  expect(file.count).toBe(rows.length)
  expect(countRows(name, body)).toBe(rows.length)
  return body
}

test('any rows of any columns come back from Parquet, by hyparquet', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTable({ depth: 3, precision: 38 }), async (table) => {
      const file = fileOf(new ParquetRows(table.columns), table, 'a.parquet')
      expect(await readWithHyparquet(file, table.columns)).toEqual(table.stored)
    }),
    { numRuns: 150 },
  )
})

test('any rows of any columns come back from Parquet, by DuckDB', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTable({ depth: 3, precision: 38 }), async (table) => {
      const file = fileOf(new ParquetRows(table.columns), table, 'a.parquet')
      const { types, rows } = await readWithDuckDB(file, table.columns)
      expect(rows).toEqual(table.stored)
      expect(types).toEqual(Object.fromEntries(table.columns.map(({ name, type }) => [name, duckDBType(type)])))
    }),
    { numRuns: 40 },
  )
})

test('any rows of any columns come back from JSON Lines, digit by digit', () => {
  fc.assert(
    fc.property(arbitraryTable({ depth: 3, precision: 38 }), fc.boolean(), (table, gzip) => {
      const [compression, name] = gzip ? (['gzip', 'a.jsonl.gz'] as const) : (['zstd', 'a.jsonl.zst'] as const)
      const file = fileOf(new JsonLinesRows(table.columns, compression), table, name)
      expect(readLines(file, compression, table.columns)).toEqual(table.stored)
    }),
    { numRuns: 150 },
  )
})

test('any rows of any columns come back from JSON Lines, by DuckDB', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTable({ depth: 3, precision: 38 }), async (table) => {
      const file = fileOf(new JsonLinesRows(table.columns, 'gzip'), table, 'a.jsonl.gz')
      expect((await readLinesWithDuckDB(file, 'jsonl.gz', table.columns)).rows).toEqual(table.stored)
    }),
    { numRuns: 40 },
  )
})
