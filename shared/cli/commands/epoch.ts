import type { Command } from 'commander'
import { atLeastZero, examples, print, withLake } from './options.ts'

interface Options {
  readonly lake: string
  readonly end: number
  readonly cluster?: string
  readonly dryRun?: true
  readonly json?: true
}

export function addEpoch(program: Command): void {
  withLake(
    program
      .command('epoch')
      .description(
        'begin a new epoch of a topic whose offsets start again, because it was created anew or its cluster replaced. ' +
          'The logs of the old epoch are sealed; what is in the lake stays. Functions may be at work; wait until those ' +
          'that were given records of the old topic have ended (a timeout after it was deleted). Interrupted, it is finished ' +
          'by running it again; done, running it again changes nothing. Never run it for a topic whose offsets go on: what is delivered again would be landed again.',
      )
      .argument('<pipeline>', 'its name, or the file that defines it'),
  )
    .requiredOption('--end <epoch>', 'the epoch that ends: the error that refused the offsets names it', atLeastZero)
    .option('--cluster <name>', 'of this cluster, when the lake has the topic of several')
    .option('--dry-run', 'say what would be sealed and touch nothing')
    .option('--json', 'print what was sealed as JSON')
    .addHelpText('after', examples('epoch flights --end 0 --dry-run --lake s3://my-lake'))
    .action(async (name: string, { lake, json, ...options }: Options) => {
      const [{ loadPipeline }, { changeEpoch, epochPage }, { openStore }] = await Promise.all([
        import('#shared/cli/pipelines.ts'),
        import('#shared/cli/epoch.ts'),
        import('#shared/lake/open-store.ts'),
      ])
      const change = await changeEpoch(openStore(lake), await loadPipeline(name), options)
      print(json ? JSON.stringify(change) : epochPage(change))
    })
}
