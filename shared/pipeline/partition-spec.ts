import { type Column, type ColumnType, typeName } from './columns.ts'
import { PipelineDefinitionError } from './errors.ts'
import type { DeclaredPartitions, TimeTransform } from './partition-by.ts'
import { crowdedField } from './partition-path.ts'

/** How a column becomes a table partition, as Iceberg writes it (specification, "Partition Transforms"). */
export type PartitionTransform = 'identity' | TimeTransform | `bucket[${number}]` | `truncate[${number}]`

/** One field of a partition spec. */
export interface PartitionField {
  readonly column: string
  /** The type of the column. */
  readonly source: ColumnType
  readonly transform: PartitionTransform
  /** Iceberg's naming: the column itself for identity, `<column>_day`, `_bucket`, `_trunc` and so on otherwise. */
  readonly name: string
  /** Whether the field keeps the order of a time or a date, and so tells how far the table has come. */
  readonly isTime: boolean
}

export type PartitionSpec = readonly PartitionField[]

type Kind = ColumnType['kind']
type TransformName = 'identity' | TimeTransform | 'bucket' | 'truncate'

const INTEGERS: readonly Kind[] = ['int32', 'int64', 'decimal']
const TEXTS: readonly Kind[] = ['string', 'binary']

/** Which kinds of column each transform takes. Identity on floating point is left out: NaN and −0 have no one partition. */
const TAKES: Readonly<Record<TransformName, readonly Kind[]>> = {
  identity: ['boolean', ...INTEGERS, ...TEXTS, 'uuid', 'date', 'timestamp'],
  year: ['date', 'timestamp'],
  month: ['date', 'timestamp'],
  day: ['date', 'timestamp'],
  hour: ['timestamp'],
  bucket: [...INTEGERS, ...TEXTS, 'uuid', 'date', 'timestamp'],
  truncate: [...INTEGERS, ...TEXTS],
}
const TIME_TRANSFORMS: readonly string[] = ['year', 'month', 'day', 'hour'] satisfies TimeTransform[]
/** Iceberg's `int`, as which its libraries keep the number of buckets and the width. */
const MAX_PARAMETER = 2 ** 31 - 1

/** @throws PipelineDefinitionError naming the field whose transform is not one, or does not take its column */
export function partitionSpecOf(partitionBy: DeclaredPartitions, columns: readonly Column[]): PartitionSpec {
  if (typeof partitionBy !== 'object' || partitionBy === null || Array.isArray(partitionBy))
    throw new PipelineDefinitionError('lake.partitionBy: expected fields with their transforms')
  const spec: PartitionField[] = []
  for (const [name, declared] of Object.entries(partitionBy)) {
    const column = columns.find((candidate) => candidate.name === name)
    if (column === undefined) throw refused(name, 'the row contract has no such field')
    const transforms: readonly unknown[] = Array.isArray(declared) ? declared : [declared]
    if (transforms.length === 0) throw refused(name, 'expected a transform, found none')
    for (const transform of transforms) spec.push(distinct(fieldOf(column, transform), spec, columns))
  }
  const crowded = crowdedField(spec)
  if (crowded !== undefined) throw refused(crowded.column, `"${crowded.name}" is too long for a directory's name`)
  return spec
}

function fieldOf({ name: column, type: source }: Column, declared: unknown): PartitionField {
  const { name, parameter } = parsed(declared, column)
  if (!TAKES[name].includes(source.kind))
    throw refused(column, `"${name}" takes ${TAKES[name].join(', ')}, not ${typeName(source)}${hint(name, source)}`)
  const isTime = name !== 'bucket' && ['date', 'timestamp'].includes(source.kind)
  const suffix = name === 'identity' ? '' : name === 'truncate' ? '_trunc' : `_${name}`
  const transform = parameter === undefined ? name : `${name}[${parameter}]`
  return { column, source, transform: transform as PartitionTransform, name: `${column}${suffix}`, isTime }
}

function parsed(declared: unknown, column: string): { readonly name: TransformName; readonly parameter?: number } {
  if (declared === 'identity' || TIME_TRANSFORMS.includes(declared as string))
    return { name: declared as TransformName }
  const [[name, parameter] = [], ...others] =
    typeof declared === 'object' && declared !== null ? Object.entries(declared) : []
  if ((name !== 'bucket' && name !== 'truncate') || others.length > 0)
    throw refused(
      column,
      `unknown transform ${JSON.stringify(declared)}; there are identity, ${TIME_TRANSFORMS.join(', ')}, { bucket: n }, { truncate: width }`,
    )
  if (typeof parameter !== 'number' || !Number.isInteger(parameter) || parameter < 1 || parameter > MAX_PARAMETER)
    throw refused(column, `${name}: expected a whole number from 1 to ${MAX_PARAMETER}, found ${String(parameter)}`)
  return { name, parameter }
}

function hint(transform: TransformName, source: ColumnType): string {
  const isText = source.kind === 'string' && TIME_TRANSFORMS.includes(transform)
  return isText ? '; text becomes one by .meta({ column: "date" }) or "timestamp"' : ''
}

/** The field, unless a table cannot have it beside the others (Iceberg's Java library and pyiceberg refuse the same). */
function distinct(field: PartitionField, spec: PartitionSpec, columns: readonly Column[]): PartitionField {
  const { column, transform, name } = field
  const sameName = (other: { readonly name: string }): boolean => other.name.toLowerCase() === name.toLowerCase()
  const twin = spec.find(sameName)
  if (twin !== undefined)
    throw refused(column, `"${transform}" and "${twin.transform}" of ${twin.column} are both named "${name}"`)
  const namesake = transform === 'identity' ? undefined : columns.find(sameName)
  if (namesake !== undefined)
    throw refused(column, `"${transform}" is named "${name}", and so is the column ${namesake.name}`)
  const divides = (other: PartitionField): boolean => TIME_TRANSFORMS.includes(other.transform)
  const sameTime = spec.find((other) => other.column === column && divides(other))
  if (divides(field) && sameTime !== undefined)
    throw refused(column, `"${transform}" and "${sameTime.transform}" divide the same time; the finer one is enough`)
  return field
}

function refused(column: string, reason: string): PipelineDefinitionError {
  return new PipelineDefinitionError(`lake.partitionBy.${column}: ${reason}`)
}
