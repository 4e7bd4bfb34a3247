import { type Column, type ColumnType, typeName } from './columns.ts'

/** Why two types have no common column. */
export class NoCommonColumnError extends Error {
  override readonly name = 'NoCommonColumnError'
  /** Where within the column, as `.stops[].gate`; empty for the column itself. */
  readonly path: string

  constructor(path: string, message: string) {
    super(message)
    this.path = path
  }
}

/** The column of what is a bigint in JavaScript: unlike the integers that are numbers, not all of them are exact in a double. */
export const BIGINT: ColumnType = { kind: 'int64' }

/** Numbers from narrow to wide. */
const NUMBERS = ['int32', 'int64', 'float', 'double']

/**
 * The column that holds values of either type: the same type is itself, numbers become the wider one, structs get the
 * fields of both (nullable where only one has them), lists and maps unite what they hold.
 * @param path where the column lies within the one that is asked for
 * @throws NoCommonColumnError for anything else: a column that means different things in different rows is no column
 */
export function uniteColumns(a: Column, b: Column, path = ''): Column {
  return { name: a.name, type: uniteTypes(a.type, b.type, path), nullable: a.nullable || b.nullable }
}

function uniteTypes(a: ColumnType, b: ColumnType, path: string): ColumnType {
  if (a.kind === 'struct' && b.kind === 'struct')
    return { kind: 'struct', fields: uniteFields(a.fields, b.fields, path) }
  if (a.kind === 'list' && b.kind === 'list')
    return { kind: 'list', element: uniteColumns(a.element, b.element, `${path}[]`) }
  if (a.kind === 'map' && b.kind === 'map') return { kind: 'map', value: uniteColumns(a.value, b.value, `${path}{}`) }
  if (typeName(a) === typeName(b)) return a === BIGINT ? a : b
  const [i, j] = [NUMBERS.indexOf(a.kind), NUMBERS.indexOf(b.kind)]
  const isInteger = Math.max(i, j) <= 1
  if (i < 0 || j < 0 || (!isInteger && (a === BIGINT || b === BIGINT)))
    throw new NoCommonColumnError(path, `a column cannot be ${typeName(a)} in one case and ${typeName(b)} in another`)
  if (isInteger) return a === BIGINT || b === BIGINT ? BIGINT : { kind: 'int64' }
  // An int32 is not exact in a float; both are in a double.
  return { kind: 'double' }
}

function uniteFields(a: readonly Column[], b: readonly Column[], path: string): Column[] {
  const theirs = new Map(b.map((field) => [field.name, field]))
  const united = a.map((field) => {
    const twin = theirs.get(field.name)
    theirs.delete(field.name)
    return twin === undefined ? { ...field, nullable: true } : uniteColumns(field, twin, `${path}.${field.name}`)
  })
  const ours = new Map(a.map((field) => [field.name.toLowerCase(), field.name]))
  for (const name of theirs.keys()) {
    const twin = ours.get(name.toLowerCase())
    if (twin !== undefined)
      throw new NoCommonColumnError(
        `${path}.${name}`,
        `differs from "${twin}" of another case only in case, which query engines ignore`,
      )
  }
  return [...united, ...[...theirs.values()].map((field) => ({ ...field, nullable: true }))]
}
