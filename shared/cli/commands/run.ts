import type { Command } from 'commander'
import { UsageError } from '#shared/cli/failure.ts'
import type { RunOptions } from '#shared/cli/run.ts'
import { atLeastOne, examples, print, withLake } from './options.ts'

export function addRun(program: Command): void {
  withLake(
    program
      .command('run')
      .description('run a pipeline over files of events, through its Lambda handler, into a lake')
      .argument('<pipeline>', 'its name, or the file that defines it')
      .requiredOption(
        '--events <files...>',
        'MSK events (.json), or record values, one a line (.ndjson, .jsonl); each plain, .gz or .zst; - is standard input',
      ),
  )
    .option('--partitions <n>', 'Kafka partitions that the lines of a file of values are spread over', atLeastOne, 3)
    .option('--batch <n>', 'records of an invocation made from a file of values', atLeastOne, 3000)
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      examples(
        'run flights --events events/flights/*.json --lake .lake',
        'run flights --events - --lake .lake < events/flights/2013-01.ndjson.gz',
      ),
    )
    .action(async (name: string, options: RunOptions & { json?: true }) => {
      const [{ loadPipeline }, { runPipeline, summaryTable }] = await Promise.all([
        import('#shared/cli/pipelines.ts'),
        import('#shared/cli/run.ts'),
      ])
      if (options.events.filter((file) => file === '-').length > 1)
        throw new UsageError('standard input (-) can be read once only')
      const summary = await runPipeline(await loadPipeline(name), options)
      print(options.json ? JSON.stringify(summary) : summaryTable(summary))
    })
}
