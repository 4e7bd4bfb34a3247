import type { Command } from 'commander'
import { atLeastZero, examples, print, withLake } from './options.ts'

interface Options {
  readonly lake: string
  readonly pipeline?: string
  readonly json?: true
}

export function addWhereis(program: Command): void {
  withLake(
    program
      .command('whereis')
      .description(
        'tell what became of one record: a row, a dead letter, skipped, a gap, or not landed yet; and which commit says so',
      )
      .argument('<topic>', 'its topic')
      .argument('<partition>', 'its Kafka partition', atLeastZero)
      .argument('<offset>', 'its offset', atLeastZero),
  )
    .option('--pipeline <name>', 'ask the logs of this pipeline only')
    .option('--json', 'print an array with an object for each log')
    .addHelpText('after', examples('whereis flights 0 16 --lake .lake'))
    .action(async (topic: string, partition: number, offset: number, { lake, pipeline, json }: Options) => {
      const [{ whereIs }, { whereIsPage }, { columnsOfPipelines }, { openLake }] = await Promise.all([
        import('#shared/cli/whereis.ts'),
        import('#shared/cli/whereis-page.ts'),
        import('#shared/cli/pipeline-columns.ts'),
        import('#shared/lake/open-lake.ts'),
      ])
      const position = { topic, partition, offset, pipeline }
      const found = await whereIs(openLake(lake), position, columnsOfPipelines)
      print(json ? JSON.stringify(found) : whereIsPage(position, found))
    })
}
