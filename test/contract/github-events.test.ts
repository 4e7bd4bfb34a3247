/**
 * Nested events as they are found in the wild as a table with structs, lists and one column for the payloads of all types of
 * event: all of them land, and are read back as they were.
 */
import { type Column, type ColumnType, typeName } from '#shared/pipeline/columns.ts'
import { github, githubEvents, type Kind, kinds, PAYLOADS } from '#test/helpers/github-events.ts'
import { land, recordsOf } from '#test/helpers/landing.ts'

/** What a column of a type must hold of a producer's JSON; fields that it has no room for are left out. */
function projected(json: unknown, type: ColumnType): unknown {
  if (json === null || json === undefined) return undefined
  switch (type.kind) {
    case 'int64':
      return BigInt(json as number)
    case 'timestamp':
      return new Date(json as string)
    case 'list':
      return (json as unknown[]).map((item) => projected(item, type.element.type))
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [field.name, projected((json as Record<string, unknown>)[field.name], field.type)]),
      )
    default:
      return json
  }
}

/** hyparquet shows what is null as null or, within a struct, as undefined. */
function withoutNull(value: unknown): unknown {
  if (value === null) return undefined
  if (Array.isArray(value)) return value.map(withoutNull)
  if (typeof value !== 'object' || value === undefined || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutNull(part)]))
}

const source = githubEvents()
const describeSource = source === undefined ? describe.skip : describe

test('the payloads of all types are one column', () => {
  const payload = github.table.columns.find(({ name }) => name === 'payload') as Column
  const text = typeName(payload.type)
  expect(text).toMatch(/^struct<kind: string, push_id: int64, size: int32, /)
  // Fields that several types share are one, with all fields of their structs.
  const names = payload.type.kind === 'struct' ? payload.type.fields.map(({ name }) => name) : []
  expect(names.toSorted()).toEqual(
    [...new Set(['kind', ...kinds.flatMap((kind) => Object.keys(PAYLOADS[kind].shape))])].sort(),
  )
  expect(text).toContain(
    'comment: struct<id: int64, user: struct<id: int64, login: string, site_admin: boolean>, body: string, created_at: string, path: string, position: int32, commit_id: string, line: int32>',
  )
})

describeSource('an hour of GitHub', () => {
  const events = (source ?? []).map(
    (line) => JSON.parse(line) as Record<string, unknown> & { type: Kind; payload: object },
  )
  let landed: Awaited<ReturnType<typeof land>>
  beforeAll(async () => {
    landed = await land(github, recordsOf(source ?? []))
  }, 120_000)

  test('lands whole', () => {
    expect(events).toHaveLength(9996)
    expect(landed.deadLetters.slice(0, 5).map(({ field, message }) => `${String(field)}: ${String(message)}`)).toEqual(
      [],
    )
    expect(landed.reports).toMatchObject([
      { records: 9996, written: 9996, rows: 9996, skipped: 0, rejected: 0, files: 14, error: null },
    ])
  })

  test('is read back as it was', () => {
    const columns = github.table.columns.filter(({ name }) => !name.startsWith('_'))
    for (const [i, event] of events.entries()) {
      const { payload, ...rest } = event
      const expected = { ...rest, payload: { ...payload, kind: event.type } } as Record<string, unknown>
      const row = landed.rows[i] ?? {}
      expect(Number(row['_offset'])).toBe(i)
      for (const { name, type } of columns) {
        const found = withoutNull(row[name])
        const sent = projected(expected[name], type)
        // What differs is shown as it is; all else need not be compared slowly.
        const shown = equal(found, sent) ? 'the same' : found
        expect({ [name]: shown }).toEqual({ [name]: shown === 'the same' ? shown : sent })
      }
    }
  })
})

/** The same values; a quick check, so that the slow one is for what differs. */
function equal(a: unknown, b: unknown): boolean {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)) ?? 'undefined'
  return text(a) === text(b)
}
