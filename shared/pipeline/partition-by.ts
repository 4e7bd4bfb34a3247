import type * as z from 'zod'

/** From coarse to fine: none of them says more of a time than the finest. */
export type TimeTransform = 'year' | 'month' | 'day' | 'hour'

/** The value's hash, modulo this many buckets. */
export interface Bucket {
  readonly bucket: number
}

/** An integer or a decimal down to a multiple of this (of the decimal's last digit), a text or bytes to this length. */
export interface Truncate {
  readonly truncate: number
}

/** How a column becomes a table partition, as a pipeline's owner writes it. */
export type DeclaredTransform = 'identity' | TimeTransform | Bucket | Truncate

/** Field → its transform, or several. */
export type DeclaredPartitions = Readonly<Record<string, DeclaredTransform | readonly DeclaredTransform[]>>

/**
 * What the compiler lets a row contract be partitioned by. What types cannot see (a text that is a date column, a number that is
 * no integer) is left to `partitionSpecOf`.
 */
export type PartitionBy<R extends z.ZodObject> = {
  readonly [Field in keyof R['shape'] as [TransformFor<R['shape'][Field]>] extends [never] ? never : Field]?:
    | TransformFor<R['shape'][Field]>
    | readonly TransformFor<R['shape'][Field]>[]
}

type TransformFor<Schema> = OfValue<NonNullable<z.output<Schema>>> | OfText<Schema>

type OfValue<Value> = [Value] extends [Date]
  ? 'identity' | TimeTransform | Bucket
  : [Value] extends [boolean]
    ? 'identity'
    : [Value] extends [string | number | bigint | Uint8Array]
      ? 'identity' | Bucket | Truncate
      : never

/** What a text is good for when its contract says that it is a date or a time. */
type OfText<Schema> = Schema extends z.ZodISODate
  ? 'year' | 'month' | 'day'
  : Schema extends z.ZodISODateTime
    ? TimeTransform
    : Schema extends z.ZodNullable<infer Inner> | z.ZodOptional<infer Inner> | z.ZodReadonly<infer Inner>
      ? OfText<Inner>
      : Schema extends z.ZodDefault<infer Inner> | z.ZodPrefault<infer Inner> | z.ZodCatch<infer Inner>
        ? OfText<Inner>
        : never
