import { UnstorableError } from '#shared/formats/unstorable.ts'
import type { PartitionValues } from './commit.ts'
import { accept, reject, type Row, type Step } from './outcome.ts'
import type { PartitionField, PartitionSpec } from './partition-spec.ts'
import { type Transform, transformOf } from './partition-transform.ts'

/**
 * The value of a partition field: what the transform made of the column, null where the column is. Times count from 1970
 * (negative before it), a bucket is its number; all else is in the form that JSON has for it in Iceberg (specification,
 * "JSON single-value serialization"), but bytes, which are base64. A bigint is an integer that a number does not hold exactly.
 */
export type PartitionValue = string | number | bigint | boolean | null

const transforms = new WeakMap<PartitionSpec, readonly Transform[]>()

/** The functions of a spec's fields, made once per table. */
function transformsOf(spec: PartitionSpec): readonly Transform[] {
  let made = transforms.get(spec)
  if (made === undefined) {
    made = spec.map(transformOf)
    transforms.set(spec, made)
  }
  return made
}

/** The table partition of a row: one value per field of the spec. */
export function partitionOf(row: Row, spec: PartitionSpec): Step<readonly PartitionValue[]> {
  const apply = transformsOf(spec)
  const values: PartitionValue[] = []
  let column = ''
  try {
    for (let i = 0; i < spec.length; i++) {
      column = (spec[i] as PartitionField).column
      const value = row[column]
      values.push(value === null || value === undefined ? null : (apply[i] as Transform)(value))
    }
    return accept(values)
  } catch (error) {
    if (error instanceof UnstorableError) return reject('PARTITION_INVALID', column, error.message)
    throw error
  }
}

/** A key that is equal for equal partitions only: null, "" and "null" all differ. */
export function partitionKey(values: readonly PartitionValue[]): string {
  let key = ''
  // The length before a text keeps it from running into what follows; nothing else can hold a comma.
  for (const value of values) key += typeof value === 'string' ? `${value.length}"${value}` : `${value},`
  return key
}

/** A partition as a commit names it. */
export function partitionValues(values: readonly PartitionValue[], spec: PartitionSpec): PartitionValues {
  return Object.fromEntries(
    spec.map((field, i) => {
      const value = values[i] ?? null
      return [field.name, typeof value === 'bigint' ? String(value) : value]
    }),
  )
}
