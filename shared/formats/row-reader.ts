import type { Column } from '#shared/pipeline/columns.ts'
import type { Row } from '#shared/pipeline/outcome.ts'
import { type Store, storedForm } from './stored-form.ts'
import { UnstorableError } from './unstorable.ts'

/**
 * A row → the stored form of its columns' values, in the order of the columns; null where there is none.
 * @param own where Inlet's own columns stand, those with a name that begins with `_`: the row itself, when it is left out
 */
export type RowReader = (row: Row, own?: Row) => unknown[]

const readers = new WeakMap<readonly Column[], RowReader>()

/**
 * A function that reads a row's columns, generated once per table: property names that stand in the source are read
 * several times as fast as names that are looked up in a loop.
 */
export function rowReaderOf(columns: readonly Column[]): RowReader {
  const made = readers.get(columns)
  if (made !== undefined) return made
  const stores = columns.map(({ type }) => storedForm(type))
  const reads = columns.map(({ name, nullable }, i) => {
    const missing = nullable ? 'null' : 'none()'
    return `(value = ${name.startsWith('_') ? 'own' : 'row'}[${JSON.stringify(name)}]) === null || value === undefined ? ${missing} : stores[${i}](value)`
  })
  // oxlint-disable-next-line no-implied-eval -- of column names, as string literals
  const generate = new Function(
    'stores',
    'none',
    `return (row, own) => { let value; return [\n${reads.join(',\n')}\n] }`,
  ) as (stores: readonly Store[], none: () => never) => (row: Row, own: Row) => unknown[]
  const read = generate(stores, none)
  const reader: RowReader = (row, own = row) => {
    try {
      return read(row, own)
    } catch (error) {
      throw error instanceof UnstorableError ? blamed(error, columns, row, own) : error
    }
  }
  readers.set(columns, reader)
  return reader
}

function none(): never {
  throw new UnstorableError('expected a value, found none')
}

/** The same error with the column that it comes from: looked for only now, so that good rows do not pay for it. */
function blamed(error: UnstorableError, columns: readonly Column[], row: Row, own: Row): UnstorableError {
  const column = columns.find(({ name, type, nullable }) => {
    const value = (name.startsWith('_') ? own : row)[name]
    if (value === null || value === undefined) return !nullable
    try {
      storedForm(type)(value)
      return false
    } catch {
      return true
    }
  })
  return new UnstorableError(error.message, column?.name ?? null)
}
