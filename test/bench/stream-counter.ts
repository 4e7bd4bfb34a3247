/**
 * A consumer that only counts, in a process of its own: it reads as the container does, to the end of a topic, and prints
 * how many records and bytes of values there were. test/bench/stream.ts measures it beside those that do something.
 */
import process from 'node:process'
import { KafkaTopic } from '#shared/sources/kafka-topic.ts'

/** What it has read. */
export interface Counted {
  readonly records: number
  /** Of values. */
  readonly bytes: number
}

const [brokers = '', name = ''] = process.argv.slice(2)
const connection = { brokers: brokers.split(','), tls: false, auth: { kind: 'none' } } as const
const topic = await KafkaTopic.open(connection, {
  topic: name,
  groupId: 'bench-counter',
  clientId: 'bench-counter',
  instanceId: null,
  sessionMs: 30_000,
})
const ends = await topic.offsets('latest', topic.partitions)
const left = new Map([...ends].map(([partition, end]) => [partition, { from: 0, end: end ?? 0 }]))
let records = 0
let bytes = 0
for (;;) {
  const open = [...left].filter(([, { from, end }]) => from < end)
  if (open.length === 0) break
  const wanted = open.map(([partition, { from }]) => ({ partition, from }))
  for (const answer of await topic.read(topic.leaderOf(0), wanted)) {
    if (answer.fault !== null) throw new Error(`${name}-${answer.partition} cannot be read: ${answer.fault}`)
    for (const { value } of answer.records) bytes += value?.length ?? 0
    records += answer.records.length
    left.set(answer.partition, { from: answer.next, end: ends.get(answer.partition) ?? 0 })
  }
}
await topic.close()
const counted: Counted = { records, bytes }
process.stdout.write(`${JSON.stringify(counted)}\n`)
