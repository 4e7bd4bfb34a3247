import * as z from 'zod'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { NO_LOCK, type TableLock } from '#shared/pipeline/table-lock.ts'

export type LockedPipeline = Pipeline & { readonly table: Table & { readonly lock: TableLock } }

interface LakeOptions {
  readonly layout?: 'files' | 'iceberg'
  readonly lock?: TableLock
}

const Any = z.record(z.string(), z.json())

/** A pipeline whose events are its rows, into the table `stations`. */
export function stations(row: z.ZodObject, partitionBy: object): (lake: LakeOptions) => Pipeline {
  return (lake) =>
    definePipeline({
      name: 'stations',
      topic: 'sensors',
      event: Any,
      row,
      transform: ({ value }) => ({ ...value, ...times(value) }) as never,
      lake: { table: 'stations', partitionBy, ...lake },
    })
}

/** Instants are text in events. */
function times(event: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      name,
      name === 'at' || name === 'moment' ? new Date(String(value)) : value,
    ]),
  )
}

/** The pipeline with the lock that follows from the one before. */
export function withNextLock(declare: (lake: LakeOptions) => Pipeline, before: TableLock = NO_LOCK): LockedPipeline {
  const lock = lockFor(declare({ layout: 'files' }).table, before)
  return declare({ lock }) as LockedPipeline
}

/** The first contract. */
export const FIRST = stations(
  z.object({
    id: z.int32(),
    ratio: z.float32(),
    price: z.string().meta({ column: 'decimal(9,2)' }),
    name: z.string(),
    place: z.object({ lat: z.float32(), tag: z.string() }),
    tags: z.array(z.object({ k: z.int32() })),
    m: z.record(z.string(), z.object({ a: z.int32().nullable() })),
    zone: z.int32(),
    at: z.date(),
    gone: z.string(),
  }),
  { zone: 'identity', at: 'day' },
)

/** Everything that a contract may become: other names, wider types, another order, more and fewer fields, other partitions. */
export const SECOND = stations(
  z.object({
    place: z.object({
      note: z.string().meta({ alias: 'tag' }),
      extra: z.boolean().nullable(),
      lat: z.number(),
    }),
    moment: z.date().meta({ alias: 'at' }),
    id: z.int(),
    ratio: z.number(),
    price: z.string().meta({ column: 'decimal(12,2)' }),
    label: z
      .string()
      .nullable()
      .meta({ aliases: ['title', 'name'] }),
    tags: z.array(z.object({ kk: z.int().meta({ alias: 'k' }) })),
    m: z.record(z.string(), z.object({ b: z.int().nullable().meta({ alias: 'a' }) })),
    zone: z.int(),
    added: z.string(),
  }),
  { moment: 'day', id: { bucket: 4 } },
)

/** An event of the first contract, as JSON. */
export const firstEvent = (id: number): string =>
  JSON.stringify({
    id,
    ratio: id + 0.5,
    price: `${id}.25`,
    name: `n${id}`,
    place: { lat: 1.5, tag: 't' },
    tags: [{ k: id }],
    m: { x: { a: id }, y: { a: null } },
    zone: id % 2,
    at: '2026-01-05T10:00:00Z',
    gone: 'g',
  })

/** One of the second. */
export const secondEvent = (id: number): string =>
  JSON.stringify({
    id,
    ratio: 0.1,
    price: '1234567890.25',
    label: null,
    place: { note: 'u', extra: true, lat: 0.1 },
    tags: [],
    m: {},
    zone: 5_000_000_000,
    moment: '2026-01-06T10:00:00Z',
    added: 'new',
  })
