import * as z from 'zod'
import { lockFor } from '#shared/pipeline/field-ids.ts'
import { definePipeline, type Pipeline } from '#shared/pipeline/pipeline.ts'
import type { FileFormat } from '#shared/pipeline/table.ts'
import type { TableLock } from '#shared/pipeline/table-lock.ts'
import { featuresOf } from './handler-scores.ts'
import { type Kind, type Nature, rowsOf, verdictOf, type Version } from './topic.ts'

const VERSIONS = [0, 1, 2] as const
type Format = 'parquet' | 'scored parquet' | 'jsonl.gz'
const DAYS = 3
const DAY_MS = 86_400_000

/**
 * The value of a record: JSON, unless it is hopeless or a tombstone; without an amount, which only the last version does
 * without, when it is poison.
 */
export function valueOf({ name, kind, mark }: Nature): Uint8Array | null {
  if (kind === 'unwanted' && mark % 2 === 0) return null
  const at = new Date(Date.UTC(2026, 0, 1) + (mark % DAYS) * DAY_MS).toISOString()
  const text = JSON.stringify({ name, kind, mark, at, ...(kind === 'poison' ? {} : { amount: mark }) })
  return Buffer.from(kind === 'hopeless' ? text.slice(0, -1) : text)
}

/** The name of the record in a value, whatever else is the matter with it. */
export function nameIn(value: Uint8Array): string {
  return /"name":"(?<name>[^"]+)"/.exec(Buffer.from(value).toString())?.groups?.['name'] ?? 'nobody'
}

/** The pipeline in all its versions, with a table of days: in Iceberg, or of JSON lines. */
export function pipelinesOf(format: Format): readonly Pipeline[] {
  const known = PIPELINES.get(format) ?? made(format)
  PIPELINES.set(format, known)
  return known
}

function made(format: Format): readonly Pipeline[] {
  const isScored = format === 'scored parquet'
  if (format === 'jsonl.gz') return VERSIONS.map((version) => versionOf(version, { layout: 'files', format }, isScored))
  const lock = lockFor(versionOf(0, { layout: 'files' }, false).table)
  return VERSIONS.map((version) => versionOf(version, { lock }, isScored))
}

const PIPELINES = new Map<Format, readonly Pipeline[]>()

/** Every eighth schedule has Iceberg tables, and every sixteenth scores in them; the dead letters of all of them are Parquet. */
export function formatOf(seed: number): Format {
  if (seed % 16 === 8) return 'scored parquet'
  return seed % 8 === 0 ? 'parquet' : 'jsonl.gz'
}

function versionOf(
  version: Version,
  lake: { layout?: 'files'; format?: FileFormat; lock?: TableLock },
  isScored: boolean,
): Pipeline {
  return definePipeline({
    name: 'flights',
    topic: 'flights',
    event: z.object({
      name: z.string(),
      kind: z.string(),
      at: z.iso.datetime(),
      amount: version === 2 ? z.int().nullish() : z.int(),
      // Makes of each version another declaration.
      version: z.literal(version).optional(),
    }),
    row: z.object({ name: z.string(), at: z.date(), amount: z.number().nullable(), score: z.number().nullable() }),
    transform: ({ value }) => {
      const kind = value.kind as Kind
      const verdict = verdictOf(kind, version)
      if (verdict === 'skipped') return null
      if (verdict === 'rejected' && kind === 'mended') throw new TypeError('it cannot be')
      const amount = verdict === 'rejected' ? Number.NaN : (value.amount ?? null)
      const row = { name: value.name, at: new Date(value.at), amount, score: null }
      // The second row of a record is of the next day.
      const second = { ...row, at: new Date(row.at.getTime() + DAY_MS) }
      return rowsOf(kind) === 2 ? [row, second] : row
    },
    lake: { table: 'flights', partitionBy: { at: 'day' }, ...lake },
    ...(isScored && { scores: { risk: { endpoint: 'model', features: featuresOf, into: 'score' } } }),
  })
}
