/** The columns of a row that scores go into, as a pipeline declares them. */
import type * as z from 'zod'
import { storedForm } from '#shared/formats/stored-form.ts'
import type { Column } from './columns.ts'
import { PipelineDefinitionError } from './errors.ts'
import type { TableLayout } from './table.ts'

/** A column that a part of each prediction goes into. */
export interface ScoredColumn {
  readonly column: string
  /** Which part of the prediction; null for a prediction that is one value. */
  readonly part: string | number | null
  readonly isText: boolean
  /** Whether the row contract and the column can hold a value. */
  readonly accepts: (value: unknown) => boolean
}

/** What a score may be of. */
export interface ScoredTable {
  readonly row: z.ZodObject
  readonly columns: readonly Column[]
  /** The columns that the table is partitioned by. */
  readonly partitionedBy: readonly string[]
  readonly layout: TableLayout
}

/**
 * The columns that a score is declared to go into.
 * @throws PipelineDefinitionError naming the one that cannot hold it
 */
export function scoredColumns(at: string, into: unknown, table: ScoredTable): ScoredColumn[] {
  if (typeof into === 'string') return [scoredColumn(at, into, null, table)]
  const parts: [string, unknown][] = typeof into === 'object' && into !== null ? Object.entries(into) : []
  if (parts.length === 0)
    throw new PipelineDefinitionError(`${at}: expected a column, or { column: part of a prediction }`)
  return parts.map(([column, part]) => {
    if (typeof part === 'string' || (typeof part === 'number' && Number.isSafeInteger(part) && part >= 0))
      return scoredColumn(at, column, part, table)
    throw new PipelineDefinitionError(
      `${at}.${column}: expected an index from 0, or a key, found ${JSON.stringify(part)}`,
    )
  })
}

function scoredColumn(at: string, name: string, part: string | number | null, table: ScoredTable): ScoredColumn {
  const column = nullableColumn(at, name, table)
  const schema = table.row.shape[name] as z.ZodType
  const isText = column.type.kind === 'string' && part !== null
  const isNumber = ['double', 'float', 'int32', 'int64'].includes(column.type.kind) && baseOf(schema) !== 'bigint'
  if (!isText && !isNumber)
    throw new PipelineDefinitionError(
      `${at}: row.${name} is ${column.type.kind}; a score is a number${part === null ? '' : ', or a text'}`,
    )
  const store = storedForm(column.type)
  const accepts = (value: unknown): boolean => {
    // What the contract would make another value of is not what the model has said.
    const parsed = schema.safeParse(value)
    if (!parsed.success || !Object.is(parsed.data, value)) return false
    try {
      store(value)
      return true
    } catch {
      return false
    }
  }
  return { column: name, part, isText, accepts }
}

/** A column for a text about the score. @throws PipelineDefinitionError when it is none, or has to have a value */
export function textColumn(at: string, name: unknown, table: ScoredTable): string | null {
  if (name === undefined) return null
  const column = nullableColumn(at, String(name), table)
  if (column.type.kind === 'string') return column.name
  throw new PipelineDefinitionError(`${at}: row.${column.name} is ${column.type.kind}, and it takes a text`)
}

function nullableColumn(at: string, name: string, { row, columns, partitionedBy }: ScoredTable): Column {
  const column = columns.find((one) => one.name === name)
  if (column === undefined) throw new PipelineDefinitionError(`${at}: the row contract has no field ${name}`)
  if (!column.nullable || !(row.shape[name] as z.ZodType).safeParse(null).success)
    throw new PipelineDefinitionError(`${at}: row.${name} must be nullable: a row may land before it has a score`)
  if (partitionedBy.includes(name))
    throw new PipelineDefinitionError(`${at}: the table is partitioned by ${name}, and a score may come later`)
  return column
}

/** The zod type below what makes it nullable. */
function baseOf(schema: z.core.$ZodType): string {
  const { def } = (schema as z.core.$ZodTypes)._zod
  return 'innerType' in def ? baseOf(def.innerType) : def.type
}
