import { GluePointers } from '#shared/lake/iceberg/glue-catalog.ts'
import { createTable } from '#shared/lake/iceberg/table-metadata.ts'
import { always } from '#test/helpers/columns.ts'
import { glueAnswering, GlueRefusal } from '#test/helpers/glue-answers.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'

const LOCATION = 's3://lake/tables/t/metadata/00000-a.metadata.json'
const NEXT = 's3://lake/tables/t/metadata/00001-b.metadata.json'
const TABLE = { Name: 't', VersionId: '7', Parameters: { table_type: 'ICEBERG', metadata_location: LOCATION } }
const { lock } = lockedTable('t', [always('n', 'int64')])
const METADATA = createTable({ uuid: 'u', location: 's3://lake/tables/t', lock, properties: {}, now: 1 })

test('an update says which version it is of, and has the old one not archived', async () => {
  const { glue, calls } = glueAnswering(({ operation }) => (operation === 'GetTable' ? { Table: TABLE } : {}))
  const pointers = new GluePointers(glue, 'db')
  const found = await pointers.find('t')
  expect(found).toMatchObject({ location: LOCATION, token: '7' })
  expect(found && (await pointers.move('t', found, NEXT, METADATA))).toBe('committed')
  expect(calls).toEqual([
    { operation: 'GetTable', input: { DatabaseName: 'db', Name: 't' } },
    {
      operation: 'UpdateTable',
      input: {
        DatabaseName: 'db',
        VersionId: '7',
        SkipArchive: true,
        TableInput: expect.objectContaining({
          Name: 't',
          Parameters: { table_type: 'ICEBERG', metadata_location: NEXT, previous_metadata_location: LOCATION },
        }),
      },
    },
  ])
})

test('refusals that are answers', async () => {
  const answering = (name: string): GluePointers =>
    new GluePointers(glueAnswering(() => new GlueRefusal(name)).glue, 'db')
  const found = { location: LOCATION, token: '7', table: TABLE }
  expect(await answering('EntityNotFoundException').find('t')).toBeUndefined()
  expect(await answering('AlreadyExistsException').place('t', LOCATION, METADATA)).toBe('conflict')
  expect(await answering('ConcurrentModificationException').move('t', found, NEXT, METADATA)).toBe('conflict')
  expect(await answering('EntityNotFoundException').move('t', found, NEXT, METADATA)).toBe('conflict')
})

test('errors say what was tried, and with which table', async () => {
  const pointers = new GluePointers(glueAnswering(() => new GlueRefusal('AccessDeniedException')).glue, 'db')
  const found = { location: LOCATION, token: '7', table: TABLE }
  await expect(pointers.find('t')).rejects.toThrow(
    "cannot read Glue's table db.t: AccessDeniedException (400): Because.",
  )
  await expect(pointers.place('t', LOCATION, METADATA)).rejects.toThrow("cannot make Glue's table db.t: AccessDenied")
  await expect(pointers.move('t', found, NEXT, METADATA)).rejects.toThrow(
    "cannot change Glue's table db.t: AccessDenied",
  )
})

test('a table without a version cannot be changed safely, and is not read', async () => {
  const { VersionId: _, ...unversioned } = TABLE
  const pointers = new GluePointers(glueAnswering(() => ({ Table: unversioned })).glue, 'db')
  await expect(pointers.find('t')).rejects.toMatchObject({ code: 'TABLE_UNREADABLE' })
})
