import fc from 'fast-check'
import type { Column, ColumnType } from '#shared/pipeline/columns.ts'
import { always, decimal, maybe, timestamp } from './columns.ts'
import type { Sample } from './scalar-samples.ts'
import type { SampledTable } from './sampled-table.ts'
import type { Stored, StoredRow } from './stored.ts'

export interface ArbitraryTableOptions {
  /** How deep lists, maps and structs lie within one another. */
  readonly depth: number
  /** Digits of a decimal, at the most. */
  readonly precision: number
  /** Whether there are timestamps of milliseconds, which Iceberg does not have; there are unless said otherwise. */
  readonly milliseconds?: boolean
}

/** Tables of any columns, with any rows for them; the same rows may come many times over. */
export function arbitraryTable(options: ArbitraryTableOptions): fc.Arbitrary<SampledTable> {
  return fields(options.depth, options).chain((columns) =>
    fc.tuple(fc.array(structValue(columns), { maxLength: 8 }), fc.constantFrom(1, 1, 1, 20)).map(([samples, times]) => {
      const repeated = Array.from({ length: times }, () => samples).flat()
      const rows = repeated.map(([given]) => given as Record<string, unknown>)
      return { columns, rows, stored: repeated.map(([, stored]) => stored as StoredRow) }
    }),
  )
}

export function arbitraryColumns(options: ArbitraryTableOptions): fc.Arbitrary<readonly Column[]> {
  return fields(options.depth, options)
}

const NAMES = ['a', 'b', 'x y', 'key', 'value', 'list', 'element', 'key_value', 'é😀', '"']

function fields(depth: number, options: ArbitraryTableOptions): fc.Arbitrary<readonly Column[]> {
  return fc
    .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 })
    .chain((names) => fc.tuple(...names.map((name) => column(name, depth, options))))
}

function column(name: string, depth: number, options: ArbitraryTableOptions): fc.Arbitrary<Column> {
  return fc
    .tuple(fc.boolean(), type(depth, options))
    .map(([nullable, of]) => (nullable ? maybe(name, of) : always(name, of)))
}

function type(depth: number, options: ArbitraryTableOptions): fc.Arbitrary<ColumnType> {
  const scalar = fc.oneof(
    fc
      .constantFrom<ColumnType['kind']>(
        'string',
        'binary',
        'boolean',
        'int32',
        'int64',
        'float',
        'double',
        'uuid',
        'date',
      )
      .map((kind) => ({ kind }) as ColumnType),
    fc
      .tuple(fc.constantFrom<'us' | 'ms'>('us', options.milliseconds === false ? 'us' : 'ms'), fc.boolean())
      .map(([unit, utc]) => timestamp(unit, utc)),
    fc
      .integer({ min: 1, max: options.precision })
      .chain((precision) => fc.integer({ min: 0, max: precision }).map((scale) => decimal(precision, scale))),
  )
  if (depth === 0) return scalar
  return fc.oneof(
    scalar,
    column('element', depth - 1, options).map((element): ColumnType => ({ kind: 'list', element })),
    column('value', depth - 1, options).map((value): ColumnType => ({ kind: 'map', value })),
    fields(depth - 1, options).map((of): ColumnType => ({ kind: 'struct', fields: of })),
  )
}

function valueOf({ type: of, nullable }: Column): fc.Arbitrary<Sample> {
  const some = someOf(of)
  return nullable ? fc.oneof({ weight: 3, arbitrary: some }, { weight: 1, arbitrary: NOTHING }) : some
}

const NOTHING = fc.constantFrom<Sample>([null, null], [undefined, null])

function someOf(of: ColumnType): fc.Arbitrary<Sample> {
  switch (of.kind) {
    case 'string':
      return text(30).map((value) => [value, value])
    case 'binary':
      return fc.tuple(fc.uint8Array({ maxLength: 30, size: 'max' }), fc.boolean()).map(([bytes, asText]) => {
        const buffer = Buffer.from(bytes)
        return [asText ? buffer.toString('base64') : bytes, buffer.toString('hex')]
      })
    case 'boolean':
      return fc.boolean().map((value) => [value, value])
    case 'int32':
      return fc.integer().map((value) => [value, value])
    case 'int64':
      return fc.oneof(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): Sample => [value, value]),
        fc.maxSafeInteger().map((value): Sample => [value, BigInt(value)]),
      )
    case 'float':
      return fc.double({ min: -3.4e38, max: 3.4e38 }).map((value) => [value, Math.fround(value)])
    case 'double':
      return fc.double().map((value) => [value, value])
    case 'uuid':
      return fc.tuple(fc.uuid(), fc.boolean()).map(([uuid, upper]) => {
        return [upper ? uuid.toUpperCase() : uuid, uuid.replaceAll('-', '')]
      })
    case 'date':
      return fc
        .integer({ min: -719_162, max: 2_932_896 })
        .map((days) => [isoText(BigInt(days) * 86_400n, 1n).slice(0, 10), days])
    case 'timestamp':
      return someTime(of.unit === 'us' ? 1_000_000n : 1000n, of.utc)
    case 'decimal':
      return someDecimal(of.precision, of.scale)
    case 'list':
      return fc
        .array(valueOf(of.element), { maxLength: 4 })
        .map((items) => [items.map(([given]) => given), items.map(([, stored]) => stored)])
    case 'map':
      return someMap(of.value)
    case 'struct':
      return structValue(of.fields)
  }
}

/** DuckDB's client drops a byte-order mark at the beginning of a text. */
function text(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', maxLength, size: 'max' }).filter((value) => !value.startsWith('\ufeff'))
}

function structValue(columns: readonly Column[]): fc.Arbitrary<Sample> {
  return fc.tuple(...columns.map(valueOf)).map((values) => {
    const at = (part: 0 | 1): unknown => Object.fromEntries(columns.map(({ name }, i) => [name, values[i]?.[part]]))
    return [at(0), at(1) as Stored]
  })
}

function someMap(value: Column): fc.Arbitrary<Sample> {
  // A reader that makes an object of a map cannot show this key.
  const key = text(5).filter((name) => name !== '__proto__')
  const entries = fc.uniqueArray(fc.tuple(key, valueOf(value)), { maxLength: 4, selector: ([name]) => name })
  return fc.tuple(entries, fc.boolean()).map(([list, asMap]) => {
    const given = list.map(([name, sample]) => [name, sample[0]] as const)
    return [
      asMap ? new Map(given) : Object.fromEntries(given),
      new Map(list.map(([name, sample]) => [name, sample[1]])),
    ]
  })
}

/** The seconds of the years 1 to 9999, a day less at either end: an offset from UTC must not lead out of them. */
const FIRST = -62_135_510_400n
const LAST = 253_402_214_399n

function someTime(perSecond: bigint, utc: boolean): fc.Arbitrary<Sample> {
  const ticks = fc.bigInt({ min: FIRST * perSecond, max: LAST * perSecond })
  const offset = fc.integer({ min: -14 * 60, max: 14 * 60 })
  return fc.tuple(ticks, offset, fc.constantFrom('Z', 'offset', 'date')).map(([stored, minutes, form]) => {
    if (!utc) return [isoText(stored, perSecond), stored]
    const perMs = perSecond / 1000n
    if (form === 'date') return [new Date(Number(stored / perMs)), (stored / perMs) * perMs]
    if (form === 'Z') return [`${isoText(stored, perSecond)}Z`, stored]
    const hours = `${String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`
    return [
      `${isoText(stored + BigInt(minutes * 60) * perSecond, perSecond)}${minutes < 0 ? '-' : '+'}${hours}`,
      stored,
    ]
  })
}

/** Ticks since 1970 → `2013-01-01T10:15:00.123456`. */
function isoText(ticks: bigint, perSecond: bigint): string {
  const fraction = ((ticks % perSecond) + perSecond) % perSecond
  const seconds = new Date(Number((ticks - fraction) / perSecond) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(fraction).padStart(String(perSecond).length - 1, '0')}`
}

function someDecimal(precision: number, scale: number): fc.Arbitrary<Sample> {
  const most = 10n ** BigInt(precision) - 1n
  return fc.tuple(fc.bigInt({ min: -most, max: most }), fc.nat({ max: 3 })).map(([unscaled, zeros]) => {
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
    const fraction = digits.slice(digits.length - scale) + '0'.repeat(zeros)
    const decimalText = `${'0'.repeat(zeros)}${digits.slice(0, digits.length - scale)}${fraction === '' ? '' : `.${fraction}`}`
    return [`${unscaled < 0n ? '-' : ''}${decimalText}`, unscaled]
  })
}
