import type { Table, TableInput } from '@aws-sdk/client-glue'

/** What Glue says of a table and takes back: an update replaces all that it does not repeat. */
export function tableInputOf({
  Name,
  Description,
  Owner,
  LastAccessTime,
  LastAnalyzedTime,
  Retention,
  StorageDescriptor,
  PartitionKeys,
  ViewOriginalText,
  ViewExpandedText,
  TableType,
  Parameters,
  TargetTable,
}: Table): TableInput {
  return {
    Name,
    Description,
    Owner,
    LastAccessTime,
    LastAnalyzedTime,
    Retention,
    StorageDescriptor,
    PartitionKeys,
    ViewOriginalText,
    ViewExpandedText,
    TableType,
    Parameters,
    TargetTable,
  }
}
