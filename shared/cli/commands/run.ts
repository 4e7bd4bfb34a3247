import process from 'node:process'
import { type Command, InvalidArgumentError } from 'commander'
import { UsageError } from '#shared/cli/failure.ts'
import type { RunOptions } from '#shared/cli/run.ts'
import type { StartingPosition } from '#shared/pipeline/trigger.ts'
import { atLeastOne, atLeastZero, examples, print, withCatalog, withKafka, withLake } from './options.ts'

interface RunArguments extends Omit<RunOptions, 'events'> {
  readonly events?: readonly string[]
  readonly kafka?: string
  readonly startingPosition?: StartingPosition
  readonly group?: string
  readonly follow?: true
  readonly untilEnd?: true
  readonly failures?: string
  readonly json?: true
}

export function addRun(program: Command): void {
  const run = program
    .command('run')
    .description(
      'run a pipeline over files of events, or over its topic as a trigger would, through its Lambda handler',
    )
  withKafka(withEvents(run, false))
    .option('--group <id>', 'with --kafka: the consumer group (default: inlet-trigger- and the name of the pipeline)')
    .option(
      '--starting-position <position>',
      "with --kafka, where a new group begins: TRIM_HORIZON, LATEST or AT_TIMESTAMP:<ISO 8601> (default: the trigger's)",
      position,
    )
    .option('--until-end', 'with --kafka: end when all that is in the topic now is settled (the default)')
    .option('--follow', 'with --kafka: go on until Ctrl-C or SIGTERM')
    .option('--failures <url>', 'with --kafka: where batches go that are given up, in place of the failure destination')
    .addHelpText(
      'after',
      examples(
        'run flights --events events/flights/*.json --lake .lake',
        'run flights --events - --lake .lake < events/flights/2013-01.ndjson.gz',
        'run flights --kafka localhost:9092 --lake .lake --follow',
      ),
    )
    .action(async (name: string, { events, ...options }: RunArguments) => {
      if ((events === undefined) === (options.kafka === undefined))
        throw new UsageError('what is to be run? Say --events and files, or --kafka and brokers')
      const { loadPipeline } = await import('#shared/cli/pipelines.ts')
      if (events === undefined) return runOnTopic(name, options)
      const { runPipeline, summaryTable } = await import('#shared/cli/run.ts')
      requireOneStandardInput({ events })
      const summary = await runPipeline(await loadPipeline(name), { ...options, events })
      print(options.json ? JSON.stringify(summary) : summaryTable(summary))
    })
}

async function runOnTopic(name: string, options: Omit<RunArguments, 'events'>): Promise<void> {
  if (options.follow && options.untilEnd) throw new UsageError('--follow and --until-end exclude one another')
  const [
    { kafkaOf },
    { failuresHere, requirePlainRecords },
    { loadPipeline },
    { runOnKafka },
    { summaryTable },
    { untilStopped },
  ] = await Promise.all([
    import('#shared/kafka-settings.ts'),
    import('#shared/cli/outside-lambda.ts'),
    import('#shared/cli/pipelines.ts'),
    import('#shared/cli/run-kafka.ts'),
    import('#shared/cli/run.ts'),
    import('#shared/cli/stop-signal.ts'),
  ])
  const pipeline = await loadPipeline(name)
  requirePlainRecords(pipeline)
  const { lake, catalog, startingPosition, failures, batch, follow } = options
  const summary = await runOnKafka(
    pipeline,
    kafkaOf(process.env, options.kafka),
    {
      lake,
      catalog: catalog ?? 'directory',
      group: options.group ?? `inlet-trigger-${pipeline.name}`,
      cluster: process.env['KAFKA_CLUSTER'] || undefined,
      startingPosition: startingPosition ?? pipeline.trigger.startingPosition,
      failures: failuresHere(pipeline, failures),
      batchSize: batch ?? pipeline.trigger.batchSize,
      untilEnd: follow !== true,
    },
    untilStopped(),
  )
  print(options.json ? JSON.stringify(summary) : summaryTable(summary))
}

function position(text: string): StartingPosition {
  if (text === 'TRIM_HORIZON' || text === 'LATEST') return text
  const time = new Date(/^AT_TIMESTAMP:(?<time>.+)$/.exec(text)?.groups?.['time'] ?? '')
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('Expected TRIM_HORIZON, LATEST or AT_TIMESTAMP:2026-01-31T12:00:00Z.')
  return time
}

/** What a run and a replay are told alike. */
export function withEvents(command: Command, isRequired = true): Command {
  const events = command
    .createOption(
      '--events <files...>',
      'MSK events (.json), or record values, one a line (.ndjson, .jsonl); each plain, .gz or .zst; - is standard input',
    )
    .makeOptionMandatory(isRequired)
  const lake = withLake(command.argument('<pipeline>', 'its name, or the file that defines it').addOption(events))
  return withCatalog(lake)
    .option('--partitions <n>', 'Kafka partitions that the lines of a file of values are spread over', atLeastOne, 3)
    .option('--batch <n>', "records of an invocation made from a file of values (default: the trigger's)", atLeastOne)
    .option('--retries <n>', 'how often a batch that fails is delivered again', atLeastZero, 0)
    .option('--json', 'print the summary as JSON')
}

/** @throws UsageError when it is to be read twice */
export function requireOneStandardInput({ events }: Pick<RunOptions, 'events'>): void {
  if (events.filter((file) => file === '-').length > 1) throw new UsageError('standard input (-) can be read once only')
}
