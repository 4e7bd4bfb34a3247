/** Avro schemas with the field ids that Iceberg's readers go by (specification, Appendix A, "Avro"). */
import { decimalBytes } from '#shared/formats/parquet-schema.ts'
import type { AvroSchema } from './avro-file.ts'
import type { PartitionColumn } from './partition-spec.ts'
import { kindOf, precisionOf, signedBigEndian, type SingleValue } from './single-value.ts'

export type AvroRecord = Readonly<Record<string, unknown>>

export function required(id: number, name: string, type: AvroSchema): AvroRecord {
  return { name, type, 'field-id': id }
}

export function optional(id: number, name: string, type: AvroSchema): AvroRecord {
  return { name, type: ['null', type], default: null, 'field-id': id }
}

export function record(name: string, fields: readonly AvroRecord[]): AvroSchema {
  return { type: 'record', name, fields }
}

export function list(id: number, items: AvroSchema): AvroSchema {
  return { type: 'array', items, 'element-id': id }
}

/** With keys that are ints; Avro's own maps have texts only. */
export function map(keyId: number, valueId: number, value: AvroSchema): AvroSchema {
  const entry = record(`k${keyId}_v${valueId}`, [required(keyId, 'key', 'int'), required(valueId, 'value', value)])
  return { type: 'array', logicalType: 'map', items: entry }
}

/** The fields of partition tuples, under names that Avro takes; readers go by the ids. */
export function partitionFields(columns: readonly PartitionColumn[]): AvroRecord[] {
  const names = partitionNames(columns)
  return columns.map(({ id, name, type }, i) => {
    const field = optional(id, names[i] ?? '', partitionType(type, id))
    return names[i] === name ? field : { ...field, 'iceberg-field-name': name }
  })
}

/** The names of the fields of partition tuples: Avro's have neither spaces nor other letters, and are there once. */
export function partitionNames(columns: readonly PartitionColumn[]): string[] {
  const names: string[] = []
  for (const { name } of columns) {
    let free = avroName(name)
    while (names.includes(free)) free += '_'
    names.push(free)
  }
  return names
}

function partitionType(primitive: string, id: number): AvroSchema {
  switch (kindOf(primitive)) {
    case 'int32':
      return 'int'
    case 'int64':
      return primitive === 'time' ? { type: 'long', logicalType: 'time-micros' } : 'long'
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'timestamp':
      return { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': primitive === 'timestamptz' }
    case 'decimal': {
      const [, precision, scale] = /(\d+)\D+(\d+)/.exec(primitive) ?? []
      const decimal = { logicalType: 'decimal', precision: Number(precision), scale: Number(scale) }
      return { type: 'fixed', name: `decimal_${id}`, size: decimalBytes(precisionOf(primitive)), ...decimal }
    }
    case 'uuid':
      return { type: 'fixed', name: `uuid_${id}`, size: 16, logicalType: 'uuid' }
    case 'binary': {
      const size = /^fixed\[(\d+)\]$/.exec(primitive)?.[1]
      return size === undefined ? 'bytes' : { type: 'fixed', name: `fixed_${id}`, size: Number(size) }
    }
    default:
      return kindOf(primitive)
  }
}

/** A partition value as Avro takes it. */
export function toAvro(primitive: string, value: SingleValue | null): unknown {
  if (kindOf(primitive) === 'decimal' && value !== null)
    return fixedBytes(value as bigint, decimalBytes(precisionOf(primitive)))
  return value instanceof Uint8Array ? Buffer.from(value) : value
}

/** A partition value as Avro shows it → as the type keeps it now, which may be wider than when it was written. */
export function fromAvro(primitive: string, value: unknown): SingleValue | null {
  if (value === null || value === undefined) return null
  const kind = kindOf(primitive)
  if (kind === 'decimal') return signedBigEndian(value as Uint8Array)
  if (kind === 'int64' || kind === 'timestamp') return BigInt(value as number | bigint)
  return value as SingleValue
}

function fixedBytes(value: bigint, size: number): Buffer {
  const hex = BigInt.asUintN(8 * size, value).toString(16)
  return Buffer.from(hex.padStart(2 * size, '0'), 'hex')
}

/** As the reference implementation changes names: what a name of Avro's cannot have becomes `_x` and its code. */
function avroName(name: string): string {
  return name.replaceAll(/^[0-9]|[^A-Za-z0-9_]/g, (char) => {
    return /[0-9]/.test(char) ? `_${char}` : `_x${char.charCodeAt(0).toString(16).toUpperCase()}`
  })
}

/** The fields of a record by their ids: names differ between writers and versions, ids do not. */
export class FieldIds {
  readonly #names = new Map<number, string>()
  readonly #types = new Map<number, AvroSchema>()

  constructor(schema: AvroSchema) {
    for (const field of (schema as { fields: readonly AvroRecord[] }).fields) {
      const id = field['field-id'] as number
      this.#names.set(id, field['name'] as string)
      this.#types.set(id, field['type'] as AvroSchema)
    }
  }

  /** The value of a field; undefined when the file has no such field. */
  get(from: unknown, id: number): unknown {
    const name = this.#names.get(id)
    return name === undefined ? undefined : (from as AvroRecord)[name]
  }

  /** The fields of a field that is a record, or a list of them. */
  within(id: number): FieldIds {
    const type = this.#types.get(id)
    const some = Array.isArray(type) ? (type as readonly AvroSchema[]).find((branch) => branch !== 'null') : type
    const items = (some as AvroRecord)['items'] as AvroSchema | undefined
    return new FieldIds(items ?? (some as AvroSchema))
  }
}
