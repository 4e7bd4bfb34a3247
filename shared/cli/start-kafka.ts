import { bootstrap } from '#shared/cli/broker/cluster-layout.ts'
import { startCluster, stopCluster } from '#shared/cli/broker/local-cluster.ts'
import { kafkaOf } from '#shared/kafka-settings.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { KafkaConnection } from '#shared/sources/kafka-connection.ts'
import { openTopics } from '#shared/sources/kafka-topics.ts'
import { KafkaTopic } from '#shared/sources/kafka-topic.ts'
import { applyTopics } from '#shared/sources/topic-changes.ts'
import { produce, productionPage } from './produce.ts'
import { startupRetries } from './kafka-start.ts'
import { failuresHere } from './outside-lambda.ts'
import { runOnKafka } from './run-kafka.ts'
import type { RunSummary } from './run.ts'

/** Where `inlet kafka up` has its cluster unless told otherwise. */
const FOLDER = '.kafka'

/**
 * The whole way on a Kafka of one's own: a broker, the pipeline's topic, a file of values in it, and its trigger. A broker that
 * did not run before is stopped at the end; its topic stays, so that another time there is nothing new in it.
 */
export async function startOnKafka(
  pipeline: Pipeline,
  events: string,
  lake: string,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<RunSummary> {
  const cluster = await startCluster(FOLDER, {}, say)
  try {
    const connection = kafkaOf({}, bootstrap(cluster.layout, 'PLAINTEXT'))
    await makeTopic(connection, pipeline)
    if (await isEmpty(connection, pipeline.topic)) {
      const options = { from: events, key: null, rate: Number.POSITIVE_INFINITY, repeat: 1 }
      say(`\n${productionPage(await produce(pipeline.topic, connection, options))}\n`)
    }
    return await runOnKafka(
      pipeline,
      connection,
      {
        lake,
        catalog: 'directory',
        group: `inlet-trigger-${pipeline.name}`,
        cluster: undefined,
        startingPosition: pipeline.trigger.startingPosition,
        failures: failuresHere(pipeline),
        batchSize: pipeline.trigger.batchSize,
        untilEnd: true,
      },
      signal,
    )
  } finally {
    if (cluster.started.length > 0) await stopCluster(FOLDER, false)
  }
}

async function makeTopic(connection: KafkaConnection, pipeline: Pipeline): Promise<void> {
  const topics = openTopics(connection)
  try {
    await applyTopics(topics, [pipeline], startupRetries())
  } finally {
    await topics.close()
  }
}

async function isEmpty(connection: KafkaConnection, topic: string): Promise<boolean> {
  const identity = { topic, groupId: 'inlet-start', clientId: 'inlet-start', instanceId: null, sessionMs: 30_000 }
  const opened = await KafkaTopic.open(connection, identity)
  try {
    const ends = await opened.offsets('latest', opened.partitions)
    return [...ends.values()].every((end) => end === 0)
  } finally {
    await opened.close()
  }
}
