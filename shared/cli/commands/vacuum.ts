import type { Command } from 'commander'
import { examples, print, withCatalog, withLake } from './options.ts'

interface Options {
  readonly lake: string
  readonly catalog: string
  readonly table?: string
  readonly dryRun?: true
  readonly json?: true
}

export function addVacuum(program: Command): void {
  const vacuum = withLake(
    program
      .command('vacuum')
      .description(
        'delete data files that no commit can name any more: those of writers that died or lost a race. It may run at any time. Files whose writer may still be about to commit stay. Marks of Iceberg tables go, too, a week after the last version that named them was dropped.',
      ),
  )
  withCatalog(vacuum)
    .option('--table <name>', 'of this table only')
    .option('--dry-run', 'list them and delete nothing')
    .option('--json', 'print what was deleted as JSON')
    .addHelpText('after', examples('vacuum --dry-run --lake .lake'))
    .action(async ({ lake, json, ...options }: Options) => {
      const [{ vacuumLake, vacuumPage }, { openLake }] = await Promise.all([
        import('#shared/cli/vacuum.ts'),
        import('#shared/lake/open-lake.ts'),
      ])
      const vacuuming = await vacuumLake(openLake(lake), options)
      print(json ? JSON.stringify(vacuuming) : vacuumPage(vacuuming))
    })
}
