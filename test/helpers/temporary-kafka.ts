import type { ClusterWish } from '#shared/cli/broker/new-cluster.ts'
import { KAFKA_TIMEOUT_MS, KafkaBroker } from './kafka-broker.ts'

/** A Kafka for all tests of a file, or of a part of it, stopped behind them. @returns it, while they run */
export function temporaryKafka(wish: ClusterWish = {}): () => KafkaBroker {
  let broker: KafkaBroker | undefined
  beforeAll(async () => {
    broker = await KafkaBroker.start(wish)
  }, KAFKA_TIMEOUT_MS)
  afterAll(() => broker?.stop())
  return () => {
    if (broker === undefined) throw new Error('there is a temporary Kafka only while tests run')
    return broker
  }
}
