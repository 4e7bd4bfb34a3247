import type { Command } from 'commander'
import { UsageError } from '#shared/cli/failure.ts'
import type { RunOptions } from '#shared/cli/run.ts'
import { atLeastOne, atLeastZero, examples, print, withLake } from './options.ts'

export function addRun(program: Command): void {
  const run = program
    .command('run')
    .description('run a pipeline over files of events, through its Lambda handler, into a lake')
  withEvents(run)
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
      requireOneStandardInput(options)
      const summary = await runPipeline(await loadPipeline(name), options)
      print(options.json ? JSON.stringify(summary) : summaryTable(summary))
    })
}

/** What a run and a replay are told alike. */
export function withEvents(command: Command): Command {
  return withLake(
    command
      .argument('<pipeline>', 'its name, or the file that defines it')
      .requiredOption(
        '--events <files...>',
        'MSK events (.json), or record values, one a line (.ndjson, .jsonl); each plain, .gz or .zst; - is standard input',
      ),
  )
    .option('--catalog <url>', "the catalog of the lake's Iceberg tables: directory, or glue:<database>", 'directory')
    .option('--partitions <n>', 'Kafka partitions that the lines of a file of values are spread over', atLeastOne, 3)
    .option('--batch <n>', "records of an invocation made from a file of values (default: the trigger's)", atLeastOne)
    .option('--retries <n>', 'how often a batch that fails is delivered again', atLeastZero, 0)
    .option('--json', 'print the summary as JSON')
}

/** @throws UsageError when it is to be read twice */
export function requireOneStandardInput({ events }: Pick<RunOptions, 'events'>): void {
  if (events.filter((file) => file === '-').length > 1) throw new UsageError('standard input (-) can be read once only')
}
