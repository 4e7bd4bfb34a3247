/** Tables of plain files as Glue, Athena and Spark know them: Hive's (AWS Glue Web API Reference, "StorageDescriptor"). */
import type { Column, StorageDescriptor, Table as GlueTable, TableInput } from '@aws-sdk/client-glue'
import { hivePartitionType, hiveType } from '#shared/formats/hive-types.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import type { Table } from '#shared/pipeline/table.ts'
import { dataPrefix } from './log-keys.ts'

const FORMATS = {
  parquet: {
    InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
  },
  json: {
    InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
    OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
    SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
  },
} as const satisfies Record<string, StorageDescriptor>

/** @param lakeUrl `s3://bucket/prefix` */
export function filesTableInput(table: Table, lakeUrl: string): TableInput {
  return {
    Name: table.name,
    TableType: 'EXTERNAL_TABLE',
    Parameters: { EXTERNAL: 'TRUE', classification: formatOf(table) },
    PartitionKeys: partitionKeysOf(table),
    StorageDescriptor: filesIn(table, lakeUrl, ''),
  }
}

/** How files below a directory of a table are read. @param directory with a slash at its end, or empty */
function filesIn(table: Table, lakeUrl: string, directory: string): StorageDescriptor {
  const Location = `${lakeUrl.replace(/\/+$/, '')}/${dataPrefix(table.name)}${directory}`
  return { ...FORMATS[formatOf(table)], Columns: columnsOf(table), Location }
}

/** @throws InletError TABLE_CHANGED when what Glue has cannot take the partitions of the table */
export function requireFilesTable(table: Table, name: string, found: GlueTable): void {
  if (found.Parameters?.['table_type'] !== undefined)
    throw new InletError(
      'TABLE_CHANGED',
      `Glue's table ${name} is of the type ${found.Parameters['table_type']}, not of plain files, and is left alone: ` +
        'drop it in Glue, or choose another name for the table',
    )
  const keys = (found.PartitionKeys ?? []).map((key) => key.Name?.toLowerCase())
  const declared = partitionKeysOf(table).map((key) => key.Name)
  if (JSON.stringify(keys) !== JSON.stringify(declared))
    throw new InletError(
      'TABLE_CHANGED',
      `Glue's table ${name} is partitioned by (${keys.join(', ')}), and the pipeline by (${declared.join(', ')}): ` +
        'drop it in Glue, and it is made anew; its files stay where they are',
    )
}

/** The columns that a table has and Glue does not know yet. */
export function unknownColumns(table: Table, found: GlueTable): Column[] {
  const known = new Set(found.StorageDescriptor?.Columns?.map(({ Name = '' }) => Name.toLowerCase()))
  return columnsOf(table).filter(({ Name = '' }) => !known.has(Name))
}

function partitionKeysOf({ partitionSpec }: Table): Column[] {
  return partitionSpec.map((field) => ({ Name: field.name.toLowerCase(), Type: hivePartitionType(field) }))
}

/** Hive allows a name once: what is an identity partition is read from the directory. */
function columnsOf(table: Table): Column[] {
  const inPath = new Set(table.partitionSpec.map(({ name }) => name.toLowerCase()))
  return table.columns
    .map(({ name, type }) => ({ Name: name.toLowerCase(), Type: hiveType(type, formatOf(table)) }))
    .filter(({ Name }) => !inPath.has(Name))
}

function formatOf({ format }: Table): keyof typeof FORMATS {
  return format === 'parquet' ? 'parquet' : 'json'
}
