import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { answerSql } from '#shared/cli/sql.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { inlet, projectRoot, type Result } from './command.ts'

const BATCH = 2000

/** The flights of a month, one JSON text each. */
export async function flightValues(): Promise<Buffer[]> {
  const month = gunzipSync(await readFile(path.join(projectRoot, 'events/flights/2013-01.ndjson.gz')))
  return month
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(line))
}

/**
 * Fills a topic with flights, the month again and again, batch by batch in turn over its partitions.
 * @param partitions how many the topic has
 * @param from how many records of the same sequence are there already
 */
export async function produceFlights(
  brokers: string,
  topic: string,
  records: number,
  partitions: number,
  from = 0,
): Promise<void> {
  const values = await flightValues()
  const producer = new Producer({
    clientId: 'flights',
    bootstrapBrokers: brokers.split(','),
    retries: 20,
    retryDelay: 500,
    idempotent: true,
  })
  try {
    for (let sent = from; sent < from + records; sent += BATCH) {
      const count = Math.min(BATCH, from + records - sent)
      const partition = Math.floor(sent / BATCH) % partitions
      const messages = Array.from({ length: count }, (_, i) => ({
        topic,
        partition,
        value: values[(sent + i) % values.length] as Buffer,
      }))
      await producer.send({ messages, acks: ProduceAcks.ALL })
    }
  } finally {
    await producer.close()
  }
}

/** Lands the topic `flights` to its end, without a trigger. @returns what the command says, as JSON */
export function consumeFlights(brokers: string, lake: string): Promise<Result> {
  return inlet(['consume', 'flights', '--kafka', brokers, '--lake', lake, '--until-end', '--json'])
}

/** What a lake has to hold of the first so many records of that sequence. */
export async function flightSums(records: number): Promise<Record<string, number>> {
  const miles = (await flightValues()).map(
    (value) => (JSON.parse(value.toString()) as { distanceMiles: number }).distanceMiles,
  )
  let sum = 0
  for (let i = 0; i < records; i++) sum += miles[i % miles.length] as number
  return { rows: records, positions: records, miles: sum }
}

/** What a lake holds of flights. */
export async function lakeSums(store: ObjectStore): Promise<Record<string, number>> {
  const sql = `SELECT count(*)::INT AS rows, count(DISTINCT (_epoch, _kafka_partition, _offset))::INT AS positions,
    sum(distanceMiles)::DOUBLE AS miles FROM flights`
  const { columns, rows } = await answerSql(sql, store)
  return Object.fromEntries(columns.map((column, i) => [column, Number(rows[0]?.[i])]))
}
