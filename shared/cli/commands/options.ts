import process from 'node:process'
import { type Command, InvalidArgumentError } from 'commander'

/** How the commands are called in this project. */
const CALL = 'npm run -s inlet --'

/** Adds examples to what `--help` shows. */
export function examples(...calls: readonly string[]): string {
  return `\n${calls.length === 1 ? 'Example' : 'Examples'}:\n${calls.map((call) => `  ${CALL} ${call}`).join('\n')}`
}

/** The option that says which lake. */
export function withLake(command: Command): Command {
  return command.requiredOption('--lake <url>', 'the lake: a directory, or s3://bucket/prefix')
}

/** The option that says which catalog has the lake's tables. */
export function withCatalog(command: Command): Command {
  return command.option(
    '--catalog <url>',
    "the catalog of the lake's Iceberg tables: directory, glue:<database>, or s3tables:<ARN of a table bucket>/<namespace>",
    'directory',
  )
}

/** The option that says which Kafka; how to log in is in the environment (see `kafkaOf`). */
export function withKafka(command: Command): Command {
  return command.option(
    '--kafka <host:port,…>',
    'brokers of the cluster (default: KAFKA_BROKERS; KAFKA_TLS, KAFKA_CA_FILE and KAFKA_SASL say how to log in)',
  )
}

export function atLeastOne(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number from 1.')
  return value
}

export function atLeastZero(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('Expected a whole number from 0.')
  return value
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
