import process from 'node:process'
import { type Command, InvalidArgumentError } from 'commander'
import { atLeastOne, examples, print, withKafka } from './options.ts'

interface Options {
  readonly from: string
  readonly key?: string
  readonly rate?: number
  readonly repeat: number
  readonly kafka?: string
  readonly json?: true
}

export function addProduce(program: Command): void {
  withKafka(
    program
      .command('produce')
      .description(
        'send the lines of a file to a Kafka topic, each as the value of a record, and wait until all are acknowledged',
      )
      .argument('<topic>', 'its name')
      .requiredOption('--from <file>', 'lines, plain or compressed by gzip or zstd; - for standard input'),
  )
    .option('--key <field>', 'the field of each line, as JSON, that is the key: records of one key keep their order')
    .option('--rate <n/s>', 'records a second at the most, as 500/s (default: as fast as it goes)', perSecond)
    .option('--repeat <n>', 'send the file so often, one time after the other', atLeastOne, 1)
    .option('--json', 'print what was sent as JSON')
    .addHelpText(
      'after',
      examples(
        'produce flights --from events/flights/2013-01.ndjson.gz --key carrier',
        'produce flights --from - --rate 100/s --kafka localhost:9092 < events.ndjson',
      ),
    )
    .action(async (topic: string, { kafka, json, key, rate = Number.POSITIVE_INFINITY, from, repeat }: Options) => {
      const [{ kafkaOf }, { produce, productionPage }] = await Promise.all([
        import('#shared/kafka-settings.ts'),
        import('#shared/cli/produce.ts'),
      ])
      const connection = kafkaOf(process.env, kafka)
      const production = await produce(topic, connection, { from, key: key ?? null, rate, repeat })
      print(json ? JSON.stringify(production) : productionPage(production))
    })
}

function perSecond(text: string): number {
  const value = Number(text.replace(/\/s$/, ''))
  if (!/^\d+(?:\.\d+)?(?:\/s)?$/.test(text) || value <= 0)
    throw new InvalidArgumentError('Expected a number of records a second, as 500/s.')
  return value
}
