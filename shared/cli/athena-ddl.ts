import { hivePartitionType, hiveType } from '#shared/formats/hive-types.ts'
import { dataPrefix } from '#shared/lake/log-keys.ts'
import type { PartitionField } from '#shared/pipeline/partition-spec.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { examplePartition } from './example-partition.ts'
import { literal } from './sql-text.ts'

/** Said of every table of plain files. */
export const LISTING_CAVEAT =
  'A reader that lists this prefix instead of asking the commit log may see files of a crash that no commit names, until "vacuum" has deleted them.'

/**
 * What makes Athena read a table's files where they are. Partitions are projected where their values can be reckoned;
 * otherwise each has to be added, for a repair finds no directory whose name has capitals or begins with "_" (Amazon Athena
 * User Guide, "Partition projection", "MSCK REPAIR TABLE").
 * @param lakeUrl `s3://bucket/prefix`
 */
export function athenaDdl(table: Table, lakeUrl: string): string {
  const { partitionSpec: spec } = table
  const location = `${lakeUrl.replace(/\/+$/, '')}/${dataPrefix(table.name)}`
  const format = table.format === 'parquet' ? 'parquet' : 'json'
  const inPath = new Set(spec.map(({ name }) => name.toLowerCase()))
  // Hive allows a name once: what is an identity partition is read from the directory.
  const columns = table.columns.filter(({ name }) => !inPath.has(name.toLowerCase()))
  const lines = [
    `CREATE EXTERNAL TABLE ${identifier(table.name)} (`,
    columns.map(({ name, type }) => `  ${identifier(name)} ${hiveType(type, format)}`).join(',\n'),
    ')',
  ]
  if (spec.length > 0)
    lines.push(
      'PARTITIONED BY (',
      spec.map((field) => `  ${identifier(field.name)} ${hivePartitionType(field)}`).join(',\n'),
      ')',
    )
  lines.push(
    format === 'parquet' ? 'STORED AS PARQUET' : "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
    `LOCATION ${literal(location)}`,
  )
  const projection = projectionOf(table)
  if (projection === undefined) return [`${lines.join('\n')};`, ...addPartition(table, location)].join('\n\n')
  if (projection.length === 0) return `${lines.join('\n')};`
  const template = `${location}${directoriesOf(table)
    .map((directory, i) => `${directory}=\${${spec[i]?.name.toLowerCase()}}`)
    .join('/')}/`
  const properties = [['projection.enabled', 'true'], ...projection, ['storage.location.template', template]]
  const pairs = properties.map(([key = '', value = '']) => `  ${literal(key)} = ${literal(value)}`)
  return [...lines, 'TBLPROPERTIES (', pairs.join(',\n'), ');'].join('\n')
}

/** A time field's pattern (Java's), its range and the unit of its steps. What lies outside the range is not read. */
const TIMES: Readonly<Record<string, readonly [pattern: string, from: string, to: string, unit: string]>> = {
  hour: ['yyyy-MM-dd-HH', '2000-01-01-00', 'NOW+1YEARS', 'HOURS'],
  day: ['yyyy-MM-dd', '2000-01-01', 'NOW+1YEARS', 'DAYS'],
  month: ['yyyy-MM', '2000-01', 'NOW+1YEARS', 'MONTHS'],
  year: ['yyyy', '2000', 'NOW+1YEARS', 'YEARS'],
}

/** Properties of partition projection; undefined when the values of a field cannot be reckoned. */
function projectionOf({ partitionSpec, columns }: Table): readonly (readonly [string, string])[] | undefined {
  const properties: (readonly [string, string])[] = []
  for (const field of partitionSpec) {
    const isNullable = columns.find(({ name }) => name === field.column)?.nullable !== false
    const of = isNullable ? undefined : projectedField(field)
    // The partition of null has a name that no projection makes.
    if (of === undefined) return undefined
    for (const [key, value] of Object.entries(of))
      properties.push([`projection.${field.name.toLowerCase()}.${key}`, value])
  }
  return properties
}

function projectedField({ transform, source }: PartitionField): Readonly<Record<string, string>> | undefined {
  const time = TIMES[transform]
  if (time !== undefined) {
    const [format, from, to, unit] = time
    return { type: 'date', format, range: `${from},${to}`, interval: '1', 'interval.unit': unit }
  }
  const buckets = /^bucket\[(\d+)\]$/.exec(transform)?.[1]
  if (buckets !== undefined) return { type: 'integer', range: `0,${Number(buckets) - 1}` }
  return source.kind === 'boolean' ? { type: 'enum', values: 'false,true' } : undefined
}

function addPartition(table: Table, location: string): string[] {
  const example = examplePartition(table.partitionSpec)
  const values = example.split('/').map((directory, i) => {
    const field = table.partitionSpec[i]
    const value = decodeURIComponent(directory.slice(directory.indexOf('=') + 1))
    return `${identifier(field?.name ?? '')} = ${literal(value)}`
  })
  return [
    `-- for each partition that there is\nALTER TABLE ${identifier(table.name)} ADD IF NOT EXISTS\n  PARTITION (${values.join(', ')}) LOCATION ${literal(`${location}${example}/`)};`,
  ]
}

/** The directories' names in front of the "=", as the paths have them. */
function directoriesOf({ partitionSpec }: Table): string[] {
  return examplePartition(partitionSpec)
    .split('/')
    .map((directory) => directory.slice(0, directory.indexOf('=')))
}

/** Glue and Athena fold case. */
function identifier(name: string): string {
  return `\`${name.toLowerCase().replaceAll('`', '``')}\``
}
