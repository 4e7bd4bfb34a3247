import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { Consumer, MessagesStreamModes, ProduceAcks, Producer } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { KafkaClient } from 'kafka-crab-js'

/** What the benchmark asks of a Kafka client. */
export interface BenchClient {
  /** Whether it can write and read zstd, with Node's help or its own. */
  readonly hasZstd: boolean
  /**
   * @param partitions of the topic; a send is spread over all of them
   * @returns what sends values, to be acknowledged by all replicas in sync, and what ends it
   */
  readonly produce: (brokers: string, topic: string, partitions: number, isZstd: boolean) => Promise<BenchProducer>
  /** Reads a topic from its beginning, in a new group, until `count` values were seen. */
  readonly consume: (brokers: string, topic: string, count: number, see: (value: Buffer) => void) => Promise<void>
}

interface BenchProducer {
  readonly send: (values: readonly Buffer[]) => Promise<unknown>
  readonly close: () => Promise<unknown>
}

const FETCH_BYTES = 10 * 1024 * 1024
const group = (): string => `bench-${process.pid}`

const platformatic: BenchClient = {
  hasZstd: true,
  async produce(brokers, topic, partitions, isZstd) {
    const producer = new Producer({ clientId: 'bench', bootstrapBrokers: brokers.split(','), autocreateTopics: false })
    const options = { acks: ProduceAcks.ALL, ...(isZstd ? { compression: 'zstd' as const } : {}) }
    return {
      send: (values) =>
        producer.send({
          ...options,
          messages: values.map((value, i) => ({ topic, partition: i % partitions, value })),
        }),
      close: () => producer.close(true),
    }
  },
  async consume(brokers, topic, count, see) {
    const consumer = new Consumer({
      clientId: 'bench',
      groupId: group(),
      bootstrapBrokers: brokers.split(','),
      retries: 100,
      retryDelay: 100,
    })
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: false,
      maxBytes: FETCH_BYTES,
    })
    let seen = 0
    for await (const { value } of stream) {
      see(value)
      seen += 1
      if (seen === count) break
    }
    await consumer.close(true)
  },
}

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
// It has no zstd of its own: Node's, at the level that @platformatic/kafka uses too.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { buffer: Buffer }) => compress(buffer),
  decompress: (buffer: Buffer) => decompress(buffer),
})

const js: BenchClient = {
  hasZstd: true,
  async produce(brokers, topic, partitions, isZstd) {
    const producer = kafkaJs(brokers).producer({ allowAutoTopicCreation: false })
    await producer.connect()
    const compression = isZstd ? kafkajs.CompressionTypes.ZSTD : kafkajs.CompressionTypes.None
    return {
      send: (values) =>
        producer.send({
          topic,
          acks: -1,
          compression,
          messages: values.map((value, i) => ({ partition: i % partitions, value })),
        }),
      close: () => producer.disconnect(),
    }
  },
  async consume(brokers, topic, count, see) {
    const consumer = kafkaJs(brokers).consumer({ groupId: group(), maxBytes: FETCH_BYTES })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    let seen = 0
    await new Promise<void>((resolve, reject) => {
      const eachBatch = ({ batch }: kafkajs.EachBatchPayload): Promise<void> => {
        for (const { value } of batch.messages) see(value ?? Buffer.alloc(0))
        seen += batch.messages.length
        if (seen >= count) resolve()
        return Promise.resolve()
      }
      consumer.run({ autoCommit: false, eachBatch }).catch(reject)
    })
    await consumer.disconnect()
  },
}

const kafkaJs = (brokers: string): kafkajs.Kafka =>
  new kafkajs.Kafka({ clientId: 'bench', brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING })

const crab: BenchClient = {
  // Its librdkafka is built without: "libzstd not available at build time".
  hasZstd: false,
  async produce(brokers, topic) {
    // One cannot tell it a partition: it spreads what has no key by itself.
    const configuration = { acks: 'all' }
    const producer = new KafkaClient({ brokers, clientId: 'bench' }).createProducer({ configuration })
    return {
      send: (values) => producer.send({ topic, messages: values.map((payload) => ({ payload })) }),
      close: () => producer.flush(),
    }
  },
  async consume(brokers, topic, count, see) {
    const configuration = { 'auto.offset.reset': 'earliest', 'fetch.max.bytes': FETCH_BYTES }
    const consumer = new KafkaClient({ brokers, clientId: 'bench' }).createConsumer({
      groupId: group(),
      enableAutoCommit: false,
      configuration,
    })
    await consumer.subscribe(topic)
    for (let seen = 0; seen < count; ) {
      const messages = await consumer.recvBatch(1000, 100)
      for (const { payload } of messages) see(payload)
      seen += messages.length
    }
    await consumer.disconnect()
  },
}

export const clients = { '@platformatic/kafka': platformatic, kafkajs: js, 'kafka-crab-js': crab }
export type ClientName = keyof typeof clients
