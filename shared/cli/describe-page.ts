import { retryLimit, type Trigger } from '#shared/pipeline/trigger.ts'
import { LISTING_CAVEAT } from './athena-ddl.ts'
import type { ColumnDescription, PipelineDescription, TableDescription } from './describe.ts'
import { contractFields, type JsonSchema } from './event-contract.ts'
import { printable, shortened } from './printable.ts'
import { formatBytes, formatCount } from './progress.ts'
import { textTable } from './text-table.ts'
import { jobTable, lengthText } from './jobs-page.ts'
import * as limits from './trigger-limits.ts'

const MAX_RULES = 80

/** What a pipeline promises and demands, as a page for people. */
export function describePage(description: PipelineDescription): string {
  const { name, topic, version, table, deadLetters } = description
  return [
    `pipeline ${name}, of topic ${topic} into table ${table.name} (version ${version})`,
    section('Event contract: what producers send', eventTable(description.event)),
    section('Row contract: what readers find', columnsTable(table)),
    section('Partitions', partitions(table)),
    section('Policies', policies(description)),
    section('Trigger', triggerText(description.trigger)),
    ...(description.scores.length > 0 ? [section('Scores', scoresTable(description))] : []),
    ...(description.jobs.length > 0 ? [section('Jobs', jobsText(description))] : []),
    section(`Dead letters: ${deadLetters.name}`, deadLetterText(deadLetters)),
    section('Limits on the way', `${limitsText()}\n${runtimeText(description)}`),
    section('Athena, over the files as they lie', `${table.athenaDdl}\n\n${LISTING_CAVEAT}`),
  ].join('\n\n\n')
}

function jobsText({ jobs, completeness: { idleMs, clockSkewMs, quietMs } }: PipelineDescription): string {
  const quiet = quietMs === null ? '' : `; or no row has come for ${lengthText(quietMs)}`
  return [
    jobTable(jobs),
    '',
    `A partition is complete when each Kafka partition is past it, or silent for ${lengthText(idleMs)}${quiet}. What is`,
    `${lengthText(clockSkewMs)} ahead of its record shows nothing. "inlet jobs why" says what is missing.`,
  ].join('\n')
}

const WHILE_AWAY = {
  defer: 'rows wait, and are scored later',
  null: 'rows have none, for good',
  fail: 'the slice fails, and is delivered again',
}

function scoresTable({ scores }: PipelineDescription): string {
  const rows = scores.map(({ name, endpoint, variant, model, inferenceComponent, into, ...score }) => {
    const { contentType, maxRows, maxBytes, timeoutMs, modelVersionInto, reasonInto, onUnavailable } = score
    const named = Object.entries({ variant, model, component: inferenceComponent })
    const asks = [endpoint, ...named.flatMap(([what, of]) => (of === null ? [] : [`${what} ${of}`]))]
    const requests = [contentType, `${formatCount(maxRows)} rows`, formatBytes(maxBytes), `${timeoutMs / 1000} s`]
    const parts = into.map(({ column, part }) => (part === null ? column : `${column} (${JSON.stringify(part)})`))
    const columns = [...parts, modelVersionInto, reasonInto].filter((column) => column !== null)
    return [name, asks.join(', '), requests.join(', '), columns.join(', '), WHILE_AWAY[onUnavailable]]
  })
  return textTable(['score', 'asks', 'in requests of', 'into', 'while it is away'], rows)
}

function section(title: string, text: string): string {
  return `${title}\n\n${text
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n')}`
}

function eventTable(schema: JsonSchema): string {
  const rows = contractFields(schema).map(({ field, type, rules, nullable, optional }) => [
    field ?? '(the value)',
    type,
    yesOrNothing(nullable),
    yesOrNothing(optional),
    shortened(rules.join(', '), MAX_RULES),
  ])
  return textTable(['field', 'type', 'nullable', 'optional', 'rules'], rows)
}

function yesOrNothing(is: boolean): string {
  return is ? 'yes' : ''
}

function columnsTable({ columns, format }: TableDescription): string {
  const isParquet = format === 'parquet'
  const head = ['column', 'nullable', 'type', ...(isParquet ? ['Parquet', 'Iceberg'] : ['JSON']), 'Glue and Athena']
  const rows = columns.map(({ name, nullable, type, parquet, json, iceberg, athena }) => [
    name,
    yesOrNothing(nullable),
    type,
    ...(isParquet ? [parquet, iceberg ?? 'none'] : [json]),
    athena,
  ])
  return [textTable(head, rows), ...columnNotes(columns, isParquet)].join('\n\n')
}

function columnNotes(columns: readonly ColumnDescription[], isParquet: boolean): string[] {
  if (!isParquet)
    return [
      'Iceberg tables hold Parquet, not JSON Lines. 64-bit integers are numbers with all their digits in the files;\n' +
        'readers that take JSON numbers for doubles round those beyond 2^53.',
    ]
  const notes: string[] = []
  const uuids = columns.filter(({ type }) => type === 'uuid').map(({ name }) => printable(name))
  if (uuids.length > 0) notes.push(`${uuids.join(', ')}: Athena has no UUID in plain files and reads its 16 bytes.`)
  const without = columns.filter(({ iceberg }) => iceberg === null).map(({ name }) => printable(name))
  if (without.length === 0) return notes
  notes.push(
    `${without.join(', ')}: Iceberg's version 2 has no timestamp in milliseconds, so an Iceberg table cannot hold this.\n` +
      'The column "timestamp", in microseconds, is in both.',
  )
  return notes
}

function partitions({ partitions: fields, examplePath }: TableDescription): string {
  const example = `as ${printable(examplePath)}`
  if (fields.length === 0) return `none\n\n${example}`
  const rows = fields.map(({ name, column, transform }) => [name, transform, column])
  return `${textTable(['field', 'transform', 'of column'], rows)}\n\n${example}`
}

function policies({ policies: { tombstones, unknownKeys, keep }, deadLetters, table }: PipelineDescription): string {
  const ofTombstones = {
    skip: 'skipped, and counted',
    reject: `a dead letter in ${deadLetters.name}`,
    row: 'a row whose contract columns are all null; its key is in _key',
  }
  const ofKeys = { strip: 'dropped before the transform', reject: `a dead letter in ${deadLetters.name}` }
  return [
    `tombstones     ${ofTombstones[tombstones]}`,
    `unknown keys   ${ofKeys[unknownKeys]}`,
    `kept parts     ${keep.length === 0 ? 'none of key, headers and timestamp type' : keep.join(', ')}`,
    `files          ${table.format}`,
  ].join('\n')
}

function triggerText(trigger: Trigger): string {
  const { mode, batchSize, batchingWindowSeconds, startingPosition, filters, pollers, partialResponses } = trigger
  const { consumerGroup, schemaRegistry } = trigger
  const from = { TRIM_HORIZON: 'at the oldest record', LATEST: 'behind the newest record' }
  const time = startingPosition instanceof Date ? `at ${startingPosition.toISOString()}` : from[startingPosition]
  const again = partialResponses ? 'the records that failed' : 'the whole batch'
  return [
    `pollers        ${mode}${pollers === null ? '' : `, ${pollers.minimum} to ${pollers.maximum}`}`,
    `batches        up to ${countText(batchSize, 'record')}, collected for ${batchingWindowSeconds} s`,
    `begins         ${time}, as ${consumerGroup === null ? 'a new consumer group' : `the consumer group ${consumerGroup}, or behind what that has read`}`,
    `failures       ${again} again${trigger.bisectBatchOnError ? ', in halves after an error' : ''}, ${endOfRetries(trigger)}`,
    ...(schemaRegistry === null
      ? []
      : [`schemas        ${schemaRegistry.validate.join(' and ')} of each record, by ${schemaRegistry.uri}`]),
    `filters        ${filters.length === 0 ? 'none' : filters.map((filter) => JSON.stringify(filter)).join(' or ')}`,
  ].join('\n')
}

function endOfRetries(trigger: Trigger): string {
  const { maximumRecordAgeSeconds: age, failureDestination } = trigger
  const limit = retryLimit(trigger)
  const ends = [
    ...(limit === Number.POSITIVE_INFINITY ? [] : [`at most ${countText(limit, 'time')}`]),
    ...(age === null ? [] : [`until they are ${formatCount(age)} s old`]),
  ]
  if (ends.length === 0) return 'until it succeeds'
  return `${ends.join(', ')}; then ${failureDestination === null ? 'they are lost' : `into ${failureDestination}`}`
}

function countText(count: number, one: string): string {
  return `${formatCount(count)} ${one}${count === 1 ? '' : 's'}`
}

function deadLetterText({ columns, partitions: [field], examplePath }: TableDescription): string {
  const names = columns.map(({ name }) => name)
  return [
    `columns        ${names.slice(0, 10).join(', ')}`,
    `               ${names.slice(10).join(', ')}`,
    `partitions     ${field?.transform} of ${field?.column}, Kafka's timestamp`,
    `as             ${printable(examplePath)}`,
  ].join('\n')
}

function limitsText(): string {
  const [least, most] = limits.BATCH_RECORDS
  const [shortest, longest] = limits.WINDOW_SECONDS
  const { usual, most: greatest } = limits.MESSAGE_BYTES
  const mebibytes = (bytes: number): string => `${bytes / 2 ** 20} MiB`
  return [
    'Lambda trigger',
    `  payload      ${formatBytes(limits.PAYLOAD_BYTES)} with keys and values in base64: about ${formatBytes(limits.RAW_BYTES)} of records`,
    `  batch        ${formatCount(least)} to ${formatCount(most)} records, collected for ${shortest} to ${longest} s`,
    `  timeout      at most ${limits.TIMEOUT_MINUTES} minutes`,
    'MSK Serverless',
    `  message      ${mebibytes(usual)}, up to ${mebibytes(greatest)} with the topic's max.message.bytes`,
    `  partition    ${limits.PARTITION_RATES.in} MB/s in, ${limits.PARTITION_RATES.out} MB/s out`,
    `  cluster      ${limits.CLUSTER_RATES.in} MB/s in, ${limits.CLUSTER_RATES.out} MB/s out`,
    '',
  ].join('\n')
}

function runtimeText({ name, runtimes }: PipelineDescription): string {
  const large = `A record above about ${formatBytes(limits.RAW_BYTES)} cannot come through Lambda, though Kafka may take it`
  if (!runtimes.includes('lambda'))
    return `${large}, and this topic is declared to take larger ones:\nrun the container, "inlet consume ${name}", in place of the trigger.`
  if (!runtimes.includes('container'))
    return `${large}: keep max.message.bytes below.\nOnly Lambda asks a schema registry, so that the container cannot take its place.`
  return `${large}: keep max.message.bytes below,\nor run the container, "inlet consume ${name}", in place of the trigger.`
}
