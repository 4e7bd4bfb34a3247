import process from 'node:process'
import type { Command } from 'commander'
import { printable } from '#shared/cli/printable.ts'
import { formatCount } from '#shared/cli/progress.ts'
import { textTable } from '#shared/cli/text-table.ts'
import { examples, print, withCatalog, withLake } from './options.ts'

const MAX_PRINTED_ROWS = 200

interface Options {
  readonly lake: string
  readonly catalog: string
  readonly at?: string
  readonly json?: true
}

export function addQuery(program: Command): void {
  withCatalog(
    withLake(
      program
        .command('query')
        .description(
          "answer SQL (DuckDB's) over a lake's tables: of a table in the catalog its current snapshot, of any other the files of the commit log. Times are in UTC.",
        )
        .argument('<sql>', 'as "SELECT count(*) FROM flights"'),
    ),
  )
    .option('--at <time|snapshot>', 'the tables as they were: at a time, as 2026-01-31T12:00:00Z, or at a snapshot')
    .option('--json', 'print an array of objects')
    .addHelpText(
      'after',
      examples(
        'query "SELECT origin, count(*) FROM flights GROUP BY ALL" --lake .lake',
        'query "SELECT count(*) FROM flights" --at 2026-01-31 --lake .lake',
      ),
    )
    .action(async (sql: string, options: Options) => {
      const [{ answerSql }, { columnsOfPipelines }, { openLake }] = await Promise.all([
        import('#shared/cli/sql.ts'),
        import('#shared/cli/pipeline-columns.ts'),
        import('#shared/lake/open-lake.ts'),
      ])
      const { lake, catalog, at } = options
      const { columns, rows, notes } = await answerSql(sql, openLake(lake), {
        columnsOf: columnsOfPipelines,
        catalog,
        at,
      })
      for (const note of notes) process.stderr.write(`inlet: ${printable(note)}\n`)
      if (options.json) {
        print(JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])))))
        return
      }
      print(textTable(columns, rows.slice(0, MAX_PRINTED_ROWS)))
      const more = rows.length - MAX_PRINTED_ROWS
      if (more > 0) print(`… and ${formatCount(more)} more rows; --json prints all`)
    })
}
