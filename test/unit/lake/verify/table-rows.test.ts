import { LoggedRecords, TableRows } from '#shared/lake/verify/table-rows.ts'

test('which cluster a row is of, its position does not tell', () => {
  const [first, second] = [new LoggedRecords({ epoch: 0, partition: 1 }), new LoggedRecords({ epoch: 0, partition: 2 })]
  expect(TableRows.of([first, second])).toBeInstanceOf(TableRows)
  expect(TableRows.of([first, second, new LoggedRecords({ epoch: 0, partition: 1 })])).toBeUndefined()
})
