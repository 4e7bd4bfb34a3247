const SUFFIX = '_dead_letters'

/** The name of the dead-letter table that is meant by its own name or by that of the table it belongs to. */
export function deadLetterTableName(table: string): string {
  return isDeadLetterTable(table) ? table : `${table}${SUFFIX}`
}

export function isDeadLetterTable(table: string): boolean {
  return table.endsWith(SUFFIX)
}
