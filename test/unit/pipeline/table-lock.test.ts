import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { lockText, NO_LOCK, parseLock, type TableLock } from '#shared/pipeline/table-lock.ts'

const LOCK: TableLock = {
  format: 1,
  revision: 3,
  lastColumnId: 9,
  lastPartitionId: 1001,
  spec: 1,
  columns: [
    { id: 1, path: ['at'], type: 'timestamp', required: true },
    { id: 2, path: ['tags'], type: 'list', required: false },
    { id: 3, path: ['tags', 'element'], type: 'string', required: false },
  ],
  retired: [{ id: 9, path: ['gone'], type: 'decimal(9,2)' }],
  specs: [
    { id: 0, fields: [{ id: 1000, source: 1, transform: 'day', name: 'at_day' }] },
    { id: 1, fields: [{ id: 1001, source: 1, transform: 'hour', name: 'at_hour' }] },
  ],
}

const changed = (change: object): unknown => JSON.parse(JSON.stringify({ ...LOCK, ...change }))
const faultOf = (content: unknown): string => {
  try {
    parseLock(content)
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(PipelineDefinitionError)
    return (error as Error).message
  }
}

test('a lock survives its file', () => {
  expect(parseLock(JSON.parse(lockText(LOCK)))).toEqual(LOCK)
})

test('a file has one line for each field, and lists on one line where they fit', () => {
  expect(lockText({ ...LOCK, retired: [] })).toBe(`{
  "format": 1,
  "revision": 3,
  "lastColumnId": 9,
  "lastPartitionId": 1001,
  "spec": 1,
  "columns": [
    { "id": 1, "path": ["at"], "type": "timestamp", "required": true },
    { "id": 2, "path": ["tags"], "type": "list", "required": false },
    { "id": 3, "path": ["tags", "element"], "type": "string", "required": false }
  ],
  "retired": [],
  "specs": [
    { "id": 0, "fields": [{ "id": 1000, "source": 1, "transform": "day", "name": "at_day" }] },
    { "id": 1, "fields": [{ "id": 1001, "source": 1, "transform": "hour", "name": "at_hour" }] }
  ]
}
`)
})

test('an empty object is the lock of a table that has none yet', () => {
  expect(parseLock({})).toBe(NO_LOCK)
})

test.each<[string, unknown, string]>([
  ['no object', [1], 'lake.lock: the file: '],
  ['another format', changed({ format: 2 }), 'lake.lock: format: '],
  ['an unknown key', changed({ note: 'x' }), 'Unrecognized key: "note"'],
  ['an id that is none', changed({ columns: [{ ...LOCK.columns[0], id: 0 }] }), 'lake.lock: columns.0.id: '],
  ["one of Iceberg's own ids", changed({ columns: [{ ...LOCK.columns[0], id: 2_147_483_448 }] }), 'columns.0.id: '],
  ['an id twice', changed({ retired: [{ ...LOCK.retired[0], id: 2 }] }), 'the id 2 is there twice'],
  [
    'a field twice',
    changed({ columns: [LOCK.columns[0], { ...LOCK.columns[0], id: 4 }] }),
    'the field at is there twice',
  ],
  ['a spec twice', changed({ specs: [LOCK.specs[1], LOCK.specs[1]] }), 'the spec 1 is there twice'],
  ['an id above the last', changed({ lastColumnId: 8 }), '"gone" has the id 9, above lastColumnId'],
  ['a partition id above the last', changed({ lastPartitionId: 1000 }), '"at_hour" has the id 1001, above'],
  ['a partition of no column', changed({ columns: LOCK.columns.slice(1) }), '"at_day" is of the field 1, which is not'],
  ['a current spec that is not there', changed({ spec: 2 }), 'there is no spec 2'],
  ['no specs', changed({ specs: [] }), 'there is no spec 1'],
])('refuses %s', (_, content, message) => {
  expect(faultOf(content)).toContain(message)
})
