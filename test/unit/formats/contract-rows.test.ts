import fc from 'fast-check'
import * as z from 'zod'
import { contractRows } from '#shared/formats/contract-rows.ts'
import { ParquetRows } from '#shared/formats/parquet.ts'
import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { columnsOf } from '#shared/pipeline/row-columns.ts'
import { arbitraryTable } from '#test/helpers/arbitrary-tables.ts'
import { readWithHyparquet } from '#test/helpers/hyparquet-reader.ts'

function fileOf(rows: readonly Row[], columns: readonly Column[]): Uint8Array {
  const file = new ParquetRows(columns)
  for (const row of rows) file.append(row)
  return file.encode({}).body
}

async function rowsOf(body: Uint8Array, columns: readonly Column[], contract = z.object({})): Promise<Row[]> {
  const rows: Row[] = []
  for await (const group of contractRows(body, columns, contract)) rows.push(...group)
  return rows
}

test('any rows of any columns are written anew as they were', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTable({ depth: 3, precision: 38 }), async ({ columns, rows, stored }) => {
      const again = await rowsOf(fileOf(rows, columns), columns)
      expect(await readWithHyparquet(fileOf(again, columns), columns)).toEqual(stored)
    }),
    { numRuns: 150 },
  )
})

const Contract = z.object({
  at: z.date(),
  until: z.iso.datetime().nullable(),
  day: z.iso.date(),
  n: z.int(),
  big: z.int64(),
  raw: z.instanceof(Uint8Array).meta({ column: 'binary' }),
  text: z.string().meta({ column: 'binary' }),
  amount: z.string().meta({ column: 'decimal(10,2)' }),
  note: z.string().optional(),
  list: z.array(z.object({ at: z.date(), n: z.int() })),
  map: z.map(z.string(), z.int()),
  record: z.record(z.string(), z.date()),
  either: z.union([z.date(), z.null()]),
})
const ROW = {
  at: new Date(5),
  until: '2013-01-01T10:15:00.123456Z',
  day: '2013-01-31',
  n: 7,
  big: 2n ** 60n,
  raw: Uint8Array.of(1, 2),
  text: Buffer.from('x').toString('base64'),
  amount: '-0.05',
  note: undefined,
  list: [{ at: new Date(-1), n: 1 }],
  map: new Map([['a', 1]]),
  record: { b: new Date(9) },
  either: new Date(0),
}

test('a row is what its contract gave: dates, texts, numbers, maps', async () => {
  const columns = columnsOf(Contract)
  const nothing = { ...ROW, until: null, either: null }
  const rows = await rowsOf(fileOf([ROW, nothing], columns), columns, Contract)
  expect(rows).toEqual([ROW, nothing])
  expect(rows.map((row) => Contract.safeParse(row).success)).toEqual([true, true])
})

test('row groups come one after another', async () => {
  const columns: Column[] = [{ name: 'n', type: { kind: 'int32' }, nullable: false }]
  const file = new ParquetRows(columns)
  const bodies: Uint8Array[] = []
  for (const group of [[1, 2], [3]]) {
    for (const n of group) file.append({ n })
    bodies.push(file.spill())
  }
  const body = Buffer.concat([...bodies, file.encode({}).body])
  const groups: Row[][] = []
  for await (const group of contractRows(body, columns, z.object({}))) groups.push(group)
  expect(groups).toEqual([[{ n: 1 }, { n: 2 }], [{ n: 3 }]])
})

describe('columns are found by their ids', () => {
  const number = (name: string, id: number, nullable = false): Column => ({
    name,
    id,
    type: { kind: 'int32' },
    nullable,
  })
  const written = fileOf([{ a: 1, b: 2 }], [number('a', 1), number('b', 2)])

  test('whatever they were called', async () => {
    expect(await rowsOf(written, [number('b', 1), number('a', 2)])).toEqual([{ b: 1, a: 2 }])
  })

  test('one that came later is null, and must be allowed to be', async () => {
    const old = [number('a', 1), number('b', 2)]
    expect(await rowsOf(written, [...old, number('c', 3, true)])).toEqual([{ a: 1, b: 2, c: null }])
    await expect(rowsOf(written, [...old, number('c', 3)])).rejects.toThrow('it has no column c')
  })

  test('one that the table does not have would be lost', async () => {
    await expect(rowsOf(written, [number('a', 1)])).rejects.toThrow('its column b is none of the table')
  })

  test('a field within one that is new, or renamed, is refused: such are found by their names', async () => {
    const struct = (...fields: Column[]): Column[] => [
      { name: 's', id: 1, type: { kind: 'struct', fields }, nullable: false },
    ]
    const body = fileOf([{ s: { x: 1 } }], struct(number('x', 2)))
    await expect(rowsOf(body, struct(number('y', 2)))).rejects.toThrow('before the column s had its field y')
    await expect(rowsOf(body, struct(number('x', 3)))).rejects.toThrow('before the column s had its field x')
    expect(await rowsOf(body, struct(number('x', 2)))).toEqual([{ s: { x: 1 } }])
  })
})
