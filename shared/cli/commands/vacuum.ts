import type { Command } from 'commander'
import { examples, print, withLake } from './options.ts'

interface Options {
  readonly lake: string
  readonly table?: string
  readonly dryRun?: true
  readonly json?: true
}

export function addVacuum(program: Command): void {
  withLake(
    program
      .command('vacuum')
      .description(
        'delete data files that no commit can name any more: those of writers that died or lost a race. It may run at any time. Files whose writer may still be about to commit stay.',
      ),
  )
    .option('--table <name>', 'of this table only')
    .option('--dry-run', 'list them and delete nothing')
    .option('--json', 'print what was deleted as JSON')
    .addHelpText('after', examples('vacuum --dry-run --lake .lake'))
    .action(async ({ lake, table, dryRun, json }: Options) => {
      const [{ vacuumLake, vacuumPage }, { openStore }] = await Promise.all([
        import('#shared/cli/vacuum.ts'),
        import('#shared/lake/open-store.ts'),
      ])
      const vacuuming = await vacuumLake(openStore(lake), table, dryRun ?? false)
      print(json ? JSON.stringify(vacuuming) : vacuumPage(vacuuming))
    })
}
