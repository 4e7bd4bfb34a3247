import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import * as z from 'zod'
import { kafkaOf } from '#shared/kafka-settings.ts'
import { definePipeline } from '#shared/pipeline/pipeline.ts'
import { producerOf } from '#shared/sources/kafka-producer.ts'
import { type Position, TopicProducer } from '#shared/sources/topic-producer.ts'
import { inlet } from '#test/helpers/command.ts'
import { KAFKA_TIMEOUT_MS } from '#test/helpers/kafka-broker.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'
import { topicContents } from '#test/helpers/topic-contents.ts'

const STARTUP = { now: () => performance.now(), withinMs: 30_000 }

describe('three brokers, of which one dies', () => {
  const kafka = temporaryKafka({ brokers: 3 })

  test(
    'nothing is acknowledged before as many replicas have it as the topic asks for',
    async () => {
      await kafka().createTopic('replicated', 1, { 'min.insync.replicas': '3' })
      const leader = await kafka().leader('replicated', 0)
      const follower = [1, 2, 3].find((id) => id !== leader) ?? 0
      const producer = await TopicProducer.open(kafkaOf({}, kafka().brokers), 'replicated', STARTUP)
      await producer.send({ key: null, value: Buffer.from('before') })

      await kafka().kill(follower)
      let isAcknowledged = false
      const sent = producer.send({ key: null, value: Buffer.from('meanwhile') }).then((position) => {
        isAcknowledged = true
        return position
      })
      // The leader alone has it in milliseconds.
      await sleep(3000)
      expect(isAcknowledged).toBe(false)

      await kafka().restart(follower)
      expect(await sent).toMatchObject({ offset: 1 })
      await producer.close()
      await kafka().inSync('replicated', 0)
    },
    KAFKA_TIMEOUT_MS,
  )

  test(
    'nothing that was acknowledged is lost, and all of it is acknowledged, in order',
    async () => {
      const records = 60_000
      await kafka().createTopic('failover', 6, { 'min.insync.replicas': '2' })
      const victim = await kafka().leader('failover', 0)
      const producer = await TopicProducer.open(kafkaOf({}, kafka().brokers), 'failover', STARTUP)
      const acknowledged: Promise<Position & { readonly text: string }>[] = []
      let ackedBeforeTheKill = 0
      let acked = 0
      const count = (text: string) => (position: Position) => {
        acked += 1
        return { ...position, text }
      }
      for (let i = 0; i < records; i++) {
        if (i === records / 3) {
          await acknowledged[0]
          ackedBeforeTheKill = acked
          await kafka().kill(victim)
        }
        const text = `${i} ${randomBytes(60).toString('hex')}`
        const sent = producer.send({ key: Buffer.from(`key ${i % 97}`), value: Buffer.from(text) })
        acknowledged.push(sent.then(count(text)))
        if (i % 200 === 0) await sleep(5)
        await producer.room()
      }
      await producer.close()

      const positions = await Promise.all(acknowledged)
      const contents = await topicContents(kafka(), 'failover')
      const lost = positions.filter(
        ({ partition, offset, text }) => contents.get(partition)?.[offset]?.value?.toString() !== text,
      )
      const order = [...contents.values()].every((stored) => {
        const numbers = stored.map(({ value }) => Number(value?.toString().split(' ')[0]))
        return numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0))
      })
      const stored = [...contents.values()].reduce((sum, { length }) => sum + length, 0)
      expect(ackedBeforeTheKill).toBeGreaterThan(0)
      expect(ackedBeforeTheKill).toBeLessThan(records / 2)
      expect(lost).toEqual([])
      expect({ acked, stored, order }).toEqual({ acked: records, stored: records, order: true })
    },
    KAFKA_TIMEOUT_MS,
  )
})

describe('one broker', () => {
  const directory = temporaryDirectory()
  const kafka = temporaryKafka()

  test('a file is sent line by line, each key to the partition where Java puts it, and counted', async () => {
    await kafka().createTopic('lines', 4)
    const lines = Array.from({ length: 1000 }, (_, i) => JSON.stringify({ carrier: ['UA', 'B6', 'AA'][i % 3], i }))
    const file = path.join(directory(), 'lines.ndjson.gz')
    await writeFile(file, gzipSync(`${lines.join('\n')}\n\n`))
    const sent = await inlet([
      'produce',
      'lines',
      '--from',
      file,
      '--key',
      'carrier',
      '--repeat',
      '2',
      '--kafka',
      kafka().brokers,
      '--json',
    ])

    const contents = await topicContents(kafka(), 'lines')
    const produced = JSON.parse(sent.stdout) as {
      records: number
      partitions: { partition: number; records: number }[]
    }
    expect([sent.code, produced.records]).toEqual([0, 2000])
    expect(produced.partitions).toEqual(
      [...contents].flatMap(([partition, { length }]) =>
        length === 0 ? [] : [{ partition, records: length, firstOffset: 0, lastOffset: length - 1 }],
      ),
    )
    const homes = new Map(
      [...contents].flatMap(([partition, stored]) => stored.map(({ key }) => [String(key), partition])),
    )
    expect(homes).toEqual(new Map<string, number>(JAVA_HOMES))
    for (const carrier of ['UA', 'B6', 'AA']) {
      const stored = contents.get(homes.get(carrier) ?? -1)?.filter(({ key }) => String(key) === carrier) ?? []
      const expected = lines.filter((line) => line.includes(carrier))
      expect(stored.map(({ value }) => String(value))).toEqual([...expected, ...expected])
    }
  })

  test('a line that is too large is named, with what is known of the others', async () => {
    await kafka().createTopic('small', 1, { 'max.message.bytes': '20000' })
    const file = path.join(directory(), 'large.ndjson')
    await writeFile(file, `{}\n"${randomBytes(20_000).toString('hex')}"\n{}\n`)
    const { code, stderr } = await inlet(['produce', 'small', '--from', file, '--kafka', kafka().brokers])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /large\.ndjson, line 2: cannot produce to the topic small .*max\.message\.bytes.*\d records were acknowledged/,
    )
    expect(stderr).not.toContain('    at ')
  })

  test('batches that are too large for a topic are made smaller: no record is refused that fits alone', async () => {
    await kafka().createTopic('tight', 1, { 'max.message.bytes': '20000' })
    const producer = await TopicProducer.open(kafkaOf({}, kafka().brokers), 'tight', STARTUP)
    const values = Array.from({ length: 500 }, () => randomBytes(1500))
    const sent = values.map((value) => producer.send({ key: null, value }))
    await producer.close()
    const offsets = (await Promise.all(sent)).map(({ offset }) => offset)
    expect(offsets).toEqual(values.map((_, i) => i))
    const contents = await topicContents(kafka(), 'tight')
    expect(contents.get(0)?.map(({ value }) => value)).toEqual(values)
  })

  test('a slow line is sent when it is there, and not faster than asked for', async () => {
    await kafka().createTopic('slow', 1)
    const lines = Array.from({ length: 40 }, (_, i) => `${i}`).join('\n')
    const { stdout, code } = await inlet(
      ['produce', 'slow', '--from', '-', '--rate', '50/s', '--kafka', kafka().brokers, '--json'],
      lines,
    )
    const { records, seconds } = JSON.parse(stdout) as { records: number; seconds: number }
    expect([code, records]).toEqual([0, 40])
    // The 40th is due after 39/50 of a second: a clock that is late makes it later only.
    expect(seconds).toBeGreaterThanOrEqual(0.78)
  })

  test('what is sent by a contract is what the pipeline reads; what it would not take is not sent', async () => {
    await kafka().createTopic('orders', 2)
    const orders = definePipeline({
      name: 'orders',
      topic: 'orders',
      event: z.object({ id: z.int64(), note: z.string().nullable() }),
      row: z.object({ id: z.int64() }),
      transform: ({ value }) => ({ id: value.id }),
      lake: { table: 'orders', layout: 'files' },
    })
    const producer = await producerOf(orders, kafkaOf({}, kafka().brokers), {
      now: Date.now,
      key: ({ id }) => String(id),
      headers: () => [
        { name: 'trace', value: Buffer.from('a') },
        { name: 'trace', value: Buffer.from('b') },
      ],
    })
    const id = 2n ** 60n + 1n
    const position = await producer.send({ id, note: null })
    await expect(producer.send({ id, note: 7 as never })).rejects.toMatchObject({ name: 'EventInvalidError' })
    await producer.close()
    const contents = await topicContents(kafka(), 'orders')
    const stored = [...contents.values()].flat()
    expect(stored).toMatchObject([
      {
        ...position,
        headers: [
          ['trace', 'a'],
          ['trace', 'b'],
        ],
      },
    ])
    expect(stored.map(({ key, value }) => [String(key), String(value)])).toEqual([
      [`${id}`, `{"id":${id},"note":null}`],
    ])
  })

  test('a topic that grows while it is written to gets records in its new partitions', async () => {
    await kafka().createTopic('growing', 1)
    const producer = await TopicProducer.open(kafkaOf({}, kafka().brokers), 'growing', STARTUP)
    await producer.send({ key: Buffer.from('a'), value: null })
    await kafka().admin.createPartitions({ topics: [{ name: 'growing', count: 8, assignments: null }] })
    const seen = new Set<number>()
    const end = performance.now() + 30_000
    for (let i = 0; seen.size < 2 && performance.now() < end; i++) {
      seen.add((await producer.send({ key: Buffer.from(`${i}`), value: null })).partition)
      await sleep(20)
    }
    await producer.close()
    expect(seen.size).toBeGreaterThanOrEqual(2)
  })
})

// `BuiltInPartitioner.partitionForKey` of kafka-clients 4.4.0, over 4 partitions.
const JAVA_HOMES = [
  ['UA', 2],
  ['B6', 0],
  ['AA', 1],
] as const
