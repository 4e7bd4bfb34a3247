import process from 'node:process'
import type { Command } from 'commander'
import type { DeadLetterFilter } from '#shared/cli/dead-letter-tables.ts'
import type { RedriveCall } from '#shared/cli/dead-letters-redrive.ts'
import { atLeastOne, atLeastZero, examples, print, withLake } from './options.ts'

interface Printed {
  readonly lake: string
  readonly json?: true
}

export function addDeadLetters(program: Command): void {
  const group = program
    .command('dead-letters')
    .description('the records that were refused: look at them, and send them back')
  addList(group)
  addShow(group)
  addRedrive(group)
}

function addList(group: Command): void {
  withLake(group.command('ls').description('count them by table, stage, code and field: open ones and resolved ones'))
    .option('--table <name>', 'of this table (or of its dead-letter table) only')
    .option('--json', 'print an array of objects')
    .addHelpText('after', examples('dead-letters ls --lake .lake'))
    .action(async ({ lake, json, table }: Printed & { readonly table?: string }) => {
      const [{ deadLetterGroups, groupsPage }, { openLake }] = await parts()
      const groups = await deadLetterGroups(openLake(lake), table)
      print(json ? JSON.stringify(groups) : groupsPage(groups))
    })
}

function addShow(group: Command): void {
  withFilter(
    withLake(group.command('show').description('show them with their keys, headers and values, the newest first')),
  )
    .option('--limit <n>', 'at most so many', atLeastOne, 10)
    .option('--all', 'resolved ones too, and what became of them')
    .option('--json', 'print an array of objects, with keys, headers and values whole: as base64 and as text')
    .addHelpText(
      'after',
      examples(
        'dead-letters show --code EVENT_INVALID --limit 3 --lake .lake',
        'dead-letters show --topic flights --partition 0 --offset 16 --all --lake .lake',
      ),
    )
    .action(async ({ lake, json, limit, ...filter }: Printed & DeadLetterFilter & { readonly limit: number }) => {
      const [{ deadLetters, deadLettersPage }, { openLake }] = await parts()
      const found = await deadLetters(openLake(lake), filter, limit)
      print(json ? JSON.stringify(found.deadLetters) : deadLettersPage(found.total, found.deadLetters, filter.all))
    })
}

function addRedrive(group: Command): void {
  const description =
    'send open ones through the pipeline again, as it is now: each becomes a row, is skipped, or is rejected again. ' +
    'It may be stopped anywhere, and run twice; exit code 1 if anything failed.'
  withFilter(
    withLake(group.command('redrive').description(description).argument('<pipeline>', 'its name, or its file')),
  )
    .option('--where <sql>', 'those that a condition over the columns of the dead-letter table holds for')
    .option('--dry-run', 'tell what would become of them, and write nothing')
    .option('--failure-destination <url>', "instead of dead letters: the trigger's failed batches, which wait there")
    .option('--epoch <n>', 'the epoch of the failed batches; needed once a topic has had several', atLeastZero)
    .option('--function <name>', 'the function that the failed batches are of, when it does not end in -<pipeline>')
    .option('--json', 'print what became of them as JSON')
    .addHelpText(
      'after',
      examples(
        'dead-letters redrive flights --code TRANSFORM_THREW --dry-run --lake .lake',
        `dead-letters redrive flights --where "message LIKE '%departureTime%'" --lake s3://lake`,
        'dead-letters redrive flights --failure-destination s3://failed-batches --lake s3://lake',
      ),
    )
    .action(async (name: string, { json, ...call }: RedriveCall & Printed) => {
      const [{ loadPipeline }, { isComplete, redrive }, { redrivePage }] = await Promise.all([
        import('#shared/cli/pipelines.ts'),
        import('#shared/cli/dead-letters-redrive.ts'),
        import('#shared/cli/dead-letters-redrive-page.ts'),
      ])
      const outcome = await redrive(await loadPipeline(name), call)
      print(json ? JSON.stringify(outcome) : redrivePage(outcome))
      if (!isComplete(outcome)) process.exitCode = 1
    })
}

/** The options that say which of them are meant. */
function withFilter(command: Command): Command {
  return command
    .option('--table <name>', 'of this table (or of its dead-letter table) only')
    .option('--code <code>', 'refused with this code only, as EVENT_INVALID')
    .option('--field <path>', 'refused for this field only')
    .option('--topic <name>', 'of this topic only')
    .option('--partition <n>', 'of this Kafka partition only', atLeastZero)
    .option('--offset <n>', 'of this offset only', atLeastZero)
}

async function parts() {
  const [letters, pages, lakes] = await Promise.all([
    import('#shared/cli/dead-letters.ts'),
    import('#shared/cli/dead-letters-page.ts'),
    import('#shared/lake/open-lake.ts'),
  ])
  return [{ ...letters, ...pages }, lakes] as const
}
