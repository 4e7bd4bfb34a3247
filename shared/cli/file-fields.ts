import type { FieldMapping } from '#shared/lake/iceberg/schema.ts'
import type { LakeDatabase } from './lake-database.ts'
import { literal } from './sql-text.ts'

/** A field of a Parquet file, as a column or within one. */
export interface FileField {
  readonly name: string
  /** Its field id; null when the file does not say it. */
  readonly id: number | null
  /** What it holds: of a primitive the type that DuckDB reads it as. */
  readonly type: 'struct' | 'list' | 'map' | { readonly primitive: string }
  /** Of a struct its fields, of a list the element, of a map key and value. */
  readonly children: readonly FileField[]
}

/** Files that have the same fields under the same names and ids. */
export interface FileGroup {
  /** Places on this machine. */
  readonly files: readonly string[]
  readonly fields: readonly FileField[]
}

/** A line of Parquet's schema: a tree, written from the root downwards. */
interface SchemaElement {
  readonly name: string
  readonly id: string | null
  readonly children: string | null
  readonly kind: string | null
  readonly primitive: string | null
}

/**
 * Parquet files by the fields that they have. The fields of those that have no ids get them by their names.
 * @param files places on this machine
 */
export async function fileGroups(
  files: readonly string[],
  mapping: readonly FieldMapping[],
  query: LakeDatabase['query'],
): Promise<FileGroup[]> {
  const { rows } = await query(
    `SELECT list(file_name), elements FROM (
      SELECT file_name, list({name: name, id: field_id, children: num_children,
        kind: coalesce(converted_type, logical_type), primitive: duckdb_type} ORDER BY column_id) AS elements
      FROM parquet_schema([${files.map(literal).join(', ')}]) GROUP BY file_name
    ) GROUP BY elements ORDER BY min(file_name)`,
  )
  return (rows as readonly (readonly [string[], SchemaElement[]])[]).map(([names, elements]) => {
    const { children } = treeOf(elements)
    return { files: names, fields: hasIds(children) ? children : withMappedIds(children, mapping) }
  })
}

/** The tree of Parquet's schema, without the groups that are only there for lists and maps to be written (LogicalTypes.md). */
function treeOf(elements: readonly SchemaElement[]): FileField {
  let next = 0
  const visit = (): FileField => {
    const { name, id, children: count, kind, primitive } = elements[next++] as SchemaElement
    const below = Array.from({ length: Number(count ?? 0) }, visit)
    const field = { name, id: id === null ? null : Number(id) }
    if (primitive !== null) return { ...field, type: { primitive }, children: [] }
    const [only] = below
    if (kind?.startsWith('LIST') || kind?.startsWith('ListType')) {
      // A list of two levels has the element itself where others have a group around it.
      const element = only?.type === 'struct' && only.children.length === 1 ? only.children[0] : only
      return { ...field, type: 'list', children: element === undefined ? [] : [element] }
    }
    if (kind?.startsWith('MAP') || kind?.startsWith('MapType'))
      return { ...field, type: 'map', children: only?.children ?? [] }
    return { ...field, type: 'struct', children: below }
  }
  return visit()
}

function hasIds(fields: readonly FileField[]): boolean {
  return fields.some(({ id, children }) => id !== null || hasIds(children))
}

/** Specification, "Column Projection" and Appendix C, "Name Mapping Serialization". */
function withMappedIds(fields: readonly FileField[], mapping: readonly FieldMapping[]): readonly FileField[] {
  return fields.map((field) => {
    const mapped = mapping.find(({ names }) => names.includes(field.name))
    return {
      ...field,
      id: mapped?.['field-id'] ?? null,
      children: withMappedIds(field.children, mapped?.fields ?? []),
    }
  })
}
