import { type Command, InvalidArgumentError } from 'commander'
import { atLeastOne, examples, print } from './options.ts'

interface Options {
  readonly rate: number
  readonly bytes: number
  readonly partitions?: number
  readonly cpuUs: number
  readonly s3Ms: number
  readonly files: number
  readonly stored: number
  readonly memory: number
  readonly firehose?: number
  readonly json?: true
}

export function addCost(program: Command): void {
  program
    .command('cost')
    .description(
      'what a pipeline costs by part, a month and a GB, how large its files come out, and when other ways are cheaper',
    )
    .argument('<pipeline>', 'its name, or the file that defines it')
    .requiredOption('--rate <n/s>', 'records a second, as 5000/s', perSecond)
    .requiredOption('--bytes <n>', "of a record's value", atLeastOne)
    .option('--partitions <n>', "of the topic (default: the pipeline's topicSettings.partitions)", atLeastOne)
    .option('--cpu-us <µs>', 'CPU for a record; npm run bench shows 13 to 17 for small ones, 85 for 2 kB', positive, 17)
    .option('--s3-ms <ms>', 'how long a put of S3 takes; not measured in AWS', positive, 50)
    .option(
      '--files <n>',
      'table partitions that the records of one Kafka partition fall into, in a batch',
      positive,
      1,
    )
    .option(
      '--stored <bytes>',
      "bytes of Parquet for a byte of a record's value; 0.13 is what flights come to",
      positive,
      0.13,
    )
    .option('--memory <MB>', 'of the function', atLeastOne, 1024)
    .option('--firehose <usd>', 'what Firehose takes for a GB from MSK into Iceberg tables', positive)
    .option('--json', 'print it as JSON, with each price and its source')
    .addHelpText('after', examples('cost flights --rate 5000/s --bytes 400'))
    .action(async (nameOrFile: string, options: Options) => {
      const [{ loadPipeline }, { UsageError }] = await Promise.all([
        import('#shared/cli/pipelines.ts'),
        import('#shared/cli/failure.ts'),
      ])
      const pipeline = await loadPipeline(nameOrFile)
      const partitions = options.partitions ?? pipeline.topicSettings.partitions
      if (partitions === null)
        throw new UsageError(
          `how many partitions has ${pipeline.topic}? Say --partitions, or declare topicSettings.partitions`,
        )
      const workload = {
        rate: options.rate,
        bytes: options.bytes,
        partitions,
        cpuMicroseconds: options.cpuUs,
        s3Milliseconds: options.s3Ms,
        filesPerSlice: options.files,
        stored: options.stored,
        memoryMegabytes: options.memory,
      }
      const { costsReport } = await import('#infra/costs-report.ts')
      const { page, json } = costsReport(pipeline, workload, options.firehose)
      print(options.json ? JSON.stringify(json) : page)
    })
}

function perSecond(text: string): number {
  const value = Number(text.replace(/\/s$/, ''))
  if (!/^\d+(?:\.\d+)?(?:\/s)?$/.test(text) || value <= 0)
    throw new InvalidArgumentError('Expected a number of records a second, as 5000/s.')
  return value
}

function positive(text: string): number {
  const value = Number(text)
  if (!/^\d+(?:\.\d+)?$/.test(text) || value <= 0) throw new InvalidArgumentError('Expected a number above 0.')
  return value
}
