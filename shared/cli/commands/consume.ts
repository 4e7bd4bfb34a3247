import process from 'node:process'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { atLeastOne, examples, print, withKafka } from './options.ts'

interface ConsumeArguments {
  readonly kafka?: string
  readonly lake?: string
  readonly catalog?: string
  readonly group?: string
  readonly instance?: string
  readonly untilEnd?: true
  readonly scratch?: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly maxAge: number
  readonly fileSize: number
  readonly rows: number
  readonly memory: number
  readonly disk: number
  readonly drain: number
  readonly session: number
  readonly json?: true
}

/** How long it may take, behind that, to leave the group and to let go of everything. */
const LEAVE_MS = 5000

export function addConsume(program: Command): void {
  withKafka(
    program
      .command('consume')
      .description("consume a pipeline's topic into a lake, without Lambda: large files, commits of a minute")
      .argument('<pipeline>', 'its name, or the file that defines it'),
  )
    .option('--lake <url>', 'the lake: a directory, or s3://bucket/prefix (default: LAKE_URL)')
    .option(
      '--catalog <url>',
      'the catalog whose Iceberg tables take what has landed, or none (default: LAKE_CATALOG; directory for a lake in one; none)',
    )
    .option('--group <id>', 'the consumer group (default: KAFKA_GROUP, or inlet- and the name of the pipeline)')
    .option(
      '--instance <id>',
      'a name that this consumer keeps when it is restarted (default: KAFKA_INSTANCE, or none)',
    )
    .option('--until-end', 'end when all that is in the topic now has landed')
    .option('--max-age <seconds>', 'how long a slice is open at the most', atLeastOne, 60)
    .option('--file-size <MB>', 'a slice lands when a file of it is as large', atLeastOne, 128)
    .option('--rows <n>', 'a slice lands when it has as many rows', atLeastOne, 5_000_000)
    .option('--memory <MB>', 'memory for slices that are open', atLeastOne, 96)
    .option('--disk <MB>', 'local disk for slices that are open', atLeastOne, 4000)
    .option('--scratch <folder>', 'where on the local disk (default: a folder of the system for what is temporary)')
    .option('--drain <seconds>', 'how long it may land what is open when it is told to stop', atLeastOne, 25)
    .option('--session <seconds>', 'how long the group waits for a consumer that is silent', atLeastOne, 30)
    .addOption(
      new Option('--listen <host:port>', 'where /healthz, /readyz and /metrics are')
        .argParser(address)
        .default(address('127.0.0.1:0'), '127.0.0.1 and a free port'),
    )
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      examples(
        'consume flights --kafka localhost:9092 --lake .lake --until-end',
        'consume flights --lake s3://bucket/lake --listen 0.0.0.0:8080',
      ),
    )
    .action(async (name: string, options: ConsumeArguments) => {
      const [
        { kafkaOf },
        { requirePlainRecords },
        { loadPipeline },
        { consume, consumedPage },
        settings,
        { untilStopped },
      ] = await Promise.all([
        import('#shared/kafka-settings.ts'),
        import('#shared/cli/outside-lambda.ts'),
        import('#shared/cli/pipelines.ts'),
        import('#shared/cli/consume.ts'),
        import('#shared/cli/consume-settings.ts'),
        import('#shared/cli/stop-signal.ts'),
      ])
      const pipeline = await loadPipeline(name)
      requirePlainRecords(pipeline)
      const connection = kafkaOf(process.env, options.kafka)
      const summary = await consume(
        pipeline,
        connection,
        {
          ...settings.consumerSettings(pipeline, process.env, options),
          untilEnd: options.untilEnd === true,
          ...(options.scratch === undefined ? {} : { scratch: options.scratch }),
          listen: options.listen,
          sessionMs: options.session * 1000,
          limits: {
            ageMs: options.maxAge * 1000,
            fileBytes: options.fileSize * 1_000_000,
            rows: options.rows,
            memoryBytes: options.memory * 1_000_000,
            scratchBytes: options.disk * 1_000_000,
            drainMs: options.drain * 1000,
          },
        },
        untilStopped(options.drain * 1000 + LEAVE_MS),
      )
      print(options.json ? JSON.stringify(summary) : consumedPage(summary))
    })
}

function address(text: string): { host: string; port: number } {
  const { host = '', port = '' } = /^(?<host>.+):(?<port>\d{1,5})$/.exec(text)?.groups ?? {}
  if (host === '' || Number(port) > 65_535) throw new InvalidArgumentError('Expected host:port.')
  return { host: host.replace(/^\[(?<inner>.*)\]$/, '$<inner>'), port: Number(port) }
}
