import { deadLetterTable } from '#shared/pipeline/dead-letter.ts'
import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { parseLock, pathText, type TableLock } from '#shared/pipeline/table-lock.ts'
import { TABLES } from './custom-resources.ts'
import { type DeploymentFault, unsafe } from './deployment-fault.ts'
import { resourcesOf, type Template } from './template.ts'

/**
 * Contracts that the tables which are deployed cannot follow. That the lock file beside a pipeline knows its columns is
 * checked where it is defined; here, that it goes on from the lock that its table has: a lock that was made anew, or merged by
 * hand, gives the ids of the table's columns to others, and readers would see the values of the one under the name of the other.
 */
export function contractFaults(pipelines: readonly Pipeline[], deployed: Template): readonly DeploymentFault[] {
  const locks = deployedLocks(deployed)
  return pipelines.flatMap((pipeline) =>
    [pipeline.table, deadLetterTable(pipeline)].flatMap((table) => {
      const before = locks.get(table.name)
      const difference = before === undefined ? null : incompatibility(table, before)
      return difference === null ? [] : [contractFault(pipeline.name, `table ${table.name}: ${difference}`)]
    }),
  )
}

/** A declaration that cannot be loaded, for its own sake or for that of its lock. */
export function definitionFault(pipeline: string, { message }: PipelineDefinitionError): DeploymentFault {
  if (message.includes('lake.lock: ')) return contractFault(pipeline, message)
  return unsafe('declaration', pipeline, message, 'mend what it names in the declaration of the pipeline')
}

function contractFault(pipeline: string, difference: string): DeploymentFault {
  return unsafe(
    'contract',
    pipeline,
    difference,
    'change the row contract so that it fits, with a new name for what is new; for another table, raise the generation ("inlet replay") or name another table',
  )
}

function deployedLocks(deployed: Template): ReadonlyMap<string, TableLock> {
  const tables = [...resourcesOf(deployed, TABLES).values()].flatMap(
    ({ Tables = [] }) => Tables as readonly { readonly Table: string; readonly Lock: string }[],
  )
  return new Map(tables.map(({ Table: name, Lock: lock }) => [name, parseLock(JSON.parse(lock))]))
}

/** @returns what a table cannot become, or null */
function incompatibility(table: Table, before: TableLock): string | null {
  const { lock } = table
  if (lock === null) return 'it is an Iceberg table where it is deployed, and plain files here'
  // Code that is rolled back brings an older lock along, and its table keeps the columns that it has.
  if (lock.revision < before.revision) return misplacedField(lock, before, before)
  try {
    return misplacedField(before, lock, lockFor(table, before)) ?? partitionDifference(before, lock)
  } catch (error) {
    if (error instanceof PipelineDefinitionError) return error.message
    throw error
  }
}

/**
 * The first field of a lock that a later one has under another id, or with another name, or is stricter with.
 * @param expected what the earlier one would have become
 */
function misplacedField(earlier: TableLock, later: TableLock, expected: TableLock): string | null {
  const [found, wanted] = [later, expected].map(byId) as [ById, ById]
  for (const { id, path } of [...earlier.columns, ...earlier.retired]) {
    const [field, as] = [found.get(id), wanted.get(id)]
    if (field === undefined)
      return `one lock has "${pathText(path)}" as field ${id}, and the one after it does not know it`
    if (as === undefined || !isNamed(as, field))
      return `field ${id} is "${pathText(path)}" in one lock, and "${pathText(field.path)}" in the one after it`
    if (field.required === true && as.required === false)
      return `"${pathText(path)}" may be null in the table, and is required in the lock`
  }
  return null
}

type Field = TableLock['retired'][number] & { readonly required?: boolean }
type ById = ReadonlyMap<number, Field>

function byId({ columns, retired }: TableLock): ById {
  return new Map([...columns, ...retired].map((field) => [field.id, field]))
}

/** Whether one of two fields is called as the other is, or was. */
function isNamed(one: Field, other: Field): boolean {
  const names = (field: Field) => [field.path.at(-1), ...(field.aliases ?? [])]
  return pathText(one.path) === pathText(other.path) || names(one).some((name) => names(other).includes(name))
}

function partitionDifference(before: TableLock, lock: TableLock): string | null {
  for (const spec of before.specs) {
    const own = lock.specs.find(({ id }) => id === spec.id)
    if (JSON.stringify(own) !== JSON.stringify(spec)) return `its partition spec ${spec.id} is another one in its lock`
  }
  return null
}
