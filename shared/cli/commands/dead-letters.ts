import type { Command } from 'commander'
import type { DeadLetterFilter } from '#shared/cli/dead-letters.ts'
import { atLeastOne, atLeastZero, examples, print, withLake } from './options.ts'

interface Options extends DeadLetterFilter {
  readonly lake: string
  readonly json?: true
}

export function addDeadLetters(program: Command): void {
  const group = program.command('dead-letters').description('the records that were refused, and why')
  withLake(group.command('ls').description('count them by table, stage, code and field'))
    .option('--table <name>', 'of this table (or of its dead-letter table) only')
    .option('--all', 'those too that an amendment has settled since')
    .option('--json', 'print an array of objects')
    .addHelpText('after', examples('dead-letters ls --lake .lake'))
    .action(async ({ lake, json, ...filter }: Options) => {
      const { deadLetterGroups, groupsPage, openStore } = await parts()
      const groups = await deadLetterGroups(openStore(lake), filter)
      print(json ? JSON.stringify(groups) : groupsPage(groups))
    })
  withLake(group.command('show').description('show them with their keys, headers and values, the newest first'))
    .option('--table <name>', 'of this table (or of its dead-letter table) only')
    .option('--code <code>', 'refused with this code only, as EVENT_INVALID')
    .option('--field <path>', 'refused for this field only')
    .option('--topic <name>', 'of this topic only')
    .option('--partition <n>', 'of this Kafka partition only', atLeastZero)
    .option('--offset <n>', 'of this offset only', atLeastZero)
    .option('--limit <n>', 'at most so many', atLeastOne, 10)
    .option('--all', 'those too that an amendment has settled since')
    .option('--json', 'print an array of objects, with keys, headers and values whole: as base64 and as text')
    .addHelpText(
      'after',
      examples(
        'dead-letters show --code EVENT_INVALID --limit 3 --lake .lake',
        'dead-letters show --topic flights --partition 0 --offset 16 --lake .lake',
      ),
    )
    .action(async ({ lake, json, limit, ...filter }: Options & { readonly limit: number }) => {
      const { deadLetters, deadLettersPage, openStore } = await parts()
      const found = await deadLetters(openStore(lake), filter, limit)
      print(json ? JSON.stringify(found.deadLetters) : deadLettersPage(found.total, found.deadLetters))
    })
}

async function parts() {
  const [letters, pages, stores] = await Promise.all([
    import('#shared/cli/dead-letters.ts'),
    import('#shared/cli/dead-letters-page.ts'),
    import('#shared/lake/open-store.ts'),
  ])
  return { ...letters, ...pages, ...stores }
}
