/** One run of one Kafka client, in a process of its own: test/bench/kafka.ts starts it with a job and reads its lines. */
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { projectRoot } from '#test/helpers/command.ts'
import { type ClientName, clients } from './kafka-clients.ts'

export interface Job {
  readonly task: 'produce' | 'consume' | 'numbered'
  readonly client: ClientName
  readonly brokers: string
  readonly topic: string
  /** Records to produce or to consume. */
  readonly records: number
  readonly partitions: number
  readonly isZstd: boolean
}

/** Records in one request. */
export const SEND = 1000
const NUMBERED_SEND = 100
const IN_FLIGHT = 5
const RETRY_MS = 200
const GIVE_UP_MS = 90_000

/** A month of flights, a record each. */
async function flightValues(): Promise<Buffer[]> {
  const file = path.join(projectRoot, 'events/flights/2013-01.ndjson.gz')
  const text = (await promisify(gunzip)(await readFile(file))).toString().trimEnd()
  return text.split('\n').map((line) => Buffer.from(line))
}

/** @returns CPU time (user and system, all threads) in microseconds, and bytes of values */
async function produce({
  client,
  brokers,
  topic,
  records,
  partitions,
  isZstd,
}: Job): Promise<{ cpu: number; bytes: number }> {
  const values = await flightValues()
  const producer = await clients[client].produce(brokers, topic, partitions, isZstd)
  const before = process.cpuUsage()
  let bytes = 0
  for (let sent = 0; sent < records; sent += SEND) {
    const batch = Array.from({ length: SEND }, (_, i) => values[(sent + i) % values.length] ?? Buffer.alloc(0))
    for (const { length } of batch) bytes += length
    await producer.send(batch)
  }
  const { user, system } = process.cpuUsage(before)
  await producer.close()
  return { cpu: user + system, bytes }
}

async function consume({ client, brokers, topic, records }: Job): Promise<{ cpu: number; bytes: number }> {
  let bytes = 0
  let seen = 0
  let cpu = 0
  const before = process.cpuUsage()
  await clients[client].consume(brokers, topic, records, ({ length }) => {
    bytes += length
    seen += 1
    if (seen !== records) return
    const { user, system } = process.cpuUsage(before)
    cpu = user + system
  })
  return { cpu, bytes }
}

/**
 * Sends numbers, some sends at a time, each again as a whole until it is acknowledged, and says of each that it was.
 * @returns how many sends had to be repeated
 */
async function numbered({
  client,
  brokers,
  topic,
  records,
  partitions,
}: Job): Promise<{ repeated: number; given: number }> {
  const producer = await clients[client].produce(brokers, topic, partitions, false)
  const until = performance.now() + GIVE_UP_MS
  let next = 0
  let repeated = 0
  let given = 0
  const lane = async (): Promise<void> => {
    while (next < records) {
      const from = next
      next += NUMBERED_SEND
      const values = Array.from({ length: NUMBERED_SEND }, (_, i) => Buffer.from(String(from + i)))
      for (let isSent = false; !isSent && performance.now() < until; ) {
        isSent = await producer.send(values).then(
          () => true,
          () => false,
        )
        if (isSent) process.stdout.write(`${JSON.stringify({ acked: from, records: NUMBERED_SEND })}\n`)
        else {
          repeated += 1
          await sleep(RETRY_MS)
        }
      }
      given += 1
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return { repeated, given }
}

const [text] = process.argv.slice(2)
if (text !== undefined && process.argv[1] === import.meta.filename) {
  const job = JSON.parse(text) as Job
  const tasks = { produce, consume, numbered }
  process.stdout.write(`${JSON.stringify(await tasks[job.task](job))}\n`)
  // What a client may still hold open is nothing that we wait for.
  process.exit()
}
