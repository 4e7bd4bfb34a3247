import type { Command } from 'commander'
import { formatCount } from '#shared/cli/progress.ts'
import { textTable } from '#shared/cli/text-table.ts'
import { examples, print, withLake } from './options.ts'

const MAX_PRINTED_ROWS = 200

export function addQuery(program: Command): void {
  withLake(
    program
      .command('query')
      .description("answer SQL (DuckDB's) over a lake's tables; only committed files are read, and times are in UTC")
      .argument('<sql>', 'as "SELECT count(*) FROM flights"'),
  )
    .option('--json', 'print an array of objects')
    .addHelpText('after', examples('query "SELECT origin, count(*) FROM flights GROUP BY ALL" --lake .lake'))
    .action(async (sql: string, options: { lake: string; json?: true }) => {
      const [{ answerSql }, { columnsOfPipelines }, { openStore }] = await Promise.all([
        import('#shared/cli/sql.ts'),
        import('#shared/cli/pipeline-columns.ts'),
        import('#shared/lake/open-store.ts'),
      ])
      const { columns, rows } = await answerSql(sql, openStore(options.lake), columnsOfPipelines)
      if (options.json) {
        print(JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])))))
        return
      }
      print(textTable(columns, rows.slice(0, MAX_PRINTED_ROWS)))
      const more = rows.length - MAX_PRINTED_ROWS
      if (more > 0) print(`… and ${formatCount(more)} more rows; --json prints all`)
    })
}
