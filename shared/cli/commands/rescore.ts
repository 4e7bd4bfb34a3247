import type { Command } from 'commander'
import type { RescoreArguments } from '#shared/cli/rescore.ts'
import { examples, print, withCatalog, withLake } from './options.ts'

interface Options extends RescoreArguments {
  readonly diff?: true
  readonly json?: true
}

export function addRescore(program: Command): void {
  const rescore = withLake(
    program
      .command('rescore <pipeline>')
      .description(
        'score rows that have landed: those that wait because their endpoint was away, or, with --from and --to, those of a range of time by a new model',
      ),
  )
  withCatalog(rescore)
    .option('--all', 'find the rows that wait by the whole log: after a table was rolled back')
    .option('--from <time>', "rows from this time on, by the table's time column (otherwise the Kafka timestamp)")
    .option('--to <time>', 'rows before this time')
    .option('--model-version <version>', 'take only what this version answers; rows that it has scored are left alone')
    .option('--variant <name>', 'the production variant to ask')
    .option('--diff', 'show how the scores of a range would differ, and change nothing')
    .option('--dry-run', 'ask, and change nothing')
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      examples(
        'rescore flights --lake .lake',
        'rescore flights --lake .lake --model-version v2 --from 2013-01-01 --to 2013-02-01 --diff',
      ),
    )
    .action(async (name: string, { json, diff, ...options }: Options) => {
      const { rescore: run, rescorePage } = await import('#shared/cli/rescore.ts')
      const summary = await run(name, { ...options, dryRun: options.dryRun === true || diff === true })
      print(json ? JSON.stringify(summary) : rescorePage(summary))
    })
}
