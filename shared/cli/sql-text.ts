/** Text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A name as SQL writes it when it is no plain word, or a word of the language. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Whether SQL names a table, in either case, as a word of its own: that it stands in a text or a comment does no harm. */
export function namesTable(sql: string, table: string): boolean {
  const name = table.replaceAll('"', '""').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<![\\p{L}\\p{N}_])${name}(?![\\p{L}\\p{N}_])`, 'iu').test(sql)
}
