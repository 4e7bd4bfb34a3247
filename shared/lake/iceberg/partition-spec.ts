/** Partition specs of Iceberg tables, and the tuples that files have of them (specification, "Partitioning"). */
import type { PartitionValues } from '#shared/pipeline/commit.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { LockedSpec } from '#shared/pipeline/table-lock.ts'
import { fieldsById, type StructType } from './schema.ts'
import { kindOf, type SingleValue } from './single-value.ts'

/** As Appendix C has it. */
export interface PartitionSpec {
  readonly 'spec-id': number
  readonly fields: readonly PartitionField[]
}

export interface PartitionField {
  readonly 'source-id': number
  readonly 'field-id': number
  readonly name: string
  readonly transform: string
}

/** One field of the tuples of a spec. */
export interface PartitionColumn {
  readonly id: number
  readonly name: string
  /** The result type of the transform: a primitive type. */
  readonly type: string
}

/** A tuple of partition values, in the order of the spec's fields. */
export type PartitionTuple = readonly (SingleValue | null)[]

export function specOf({ id, fields }: LockedSpec): PartitionSpec {
  return {
    'spec-id': id,
    fields: fields.map(({ id: fieldId, source, transform, name }) => {
      return { 'source-id': source, 'field-id': fieldId, name, transform }
    }),
  }
}

/**
 * The columns of a spec's tuples.
 * @param schemas the current one first: a spec may be of a column that is gone since
 */
export function partitionColumns({ fields }: PartitionSpec, schemas: readonly StructType[]): PartitionColumn[] {
  return fields.map(({ 'source-id': source, 'field-id': id, name, transform }) => {
    const type = schemas
      .map((schema) => fieldsById(schema).get(source)?.type)
      .find((found) => typeof found === 'string')
    return { id, name, type: resultType(transform, type ?? 'string') }
  })
}

/** "Partition Transforms". The reference implementation makes a date of a day, which the specification has as an int. */
function resultType(transform: string, source: string): string {
  if (transform === 'day') return 'date'
  if (['year', 'month', 'hour'].includes(transform) || transform.startsWith('bucket[')) return 'int'
  return source
}

const MS_PER_DAY = 86_400_000

/** The partition that a commit names, as a tuple. @throws InletError LOG_CORRUPT when it is not one of the spec */
export function tupleOf(values: PartitionValues, columns: readonly PartitionColumn[]): PartitionTuple {
  if (Object.keys(values).length !== columns.length)
    throw new InletError('LOG_CORRUPT', `the partition ${JSON.stringify(values)} is not of ${names(columns)}`)
  return columns.map(({ name, type }) => {
    const value = values[name]
    if (value === undefined)
      throw new InletError('LOG_CORRUPT', `the partition ${JSON.stringify(values)} is not of ${names(columns)}`)
    return value === null ? null : storedValue(type, value)
  })
}

/** What JSON has of a value (see `PartitionValue`) → what is stored of it. */
function storedValue(type: string, value: string | number | boolean): SingleValue {
  switch (kindOf(type)) {
    case 'int64':
      return BigInt(value)
    case 'date':
      return typeof value === 'number' ? value : Date.parse(`${value}T00:00:00Z`) / MS_PER_DAY
    case 'timestamp':
      return microsecondsOf(String(value))
    case 'decimal':
      return BigInt(String(value).replace('.', ''))
    case 'uuid':
      return Buffer.from(String(value).replaceAll('-', ''), 'hex')
    case 'binary':
      return Buffer.from(String(value), 'base64')
    default:
      return value
  }
}

/** `2017-11-16T22:31:08.123456+00:00`, or without the offset; a year may have more than four digits. */
function microsecondsOf(text: string): bigint {
  const local = text.replace(/\+00:00$/, '')
  return BigInt(Date.parse(`${local.slice(0, -3)}Z`)) * 1000n + BigInt(local.slice(-3))
}

function names(columns: readonly PartitionColumn[]): string {
  return columns.map(({ name }) => name).join(', ') || 'an unpartitioned table'
}

/** A key that equal tuples of one spec share. */
export function tupleKey(tuple: PartitionTuple): string {
  return JSON.stringify(
    tuple.map((value) => {
      if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')]
      return typeof value === 'bigint' ? String(value) : value
    }),
  )
}
