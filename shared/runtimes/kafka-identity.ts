import { SettingsError } from '#shared/kafka-settings.ts'
import type { KafkaSource } from '#shared/trigger/msk-event.ts'

/** A cluster as the logs of a lake know it, and as events of it say. */
export interface ClusterIdentity {
  readonly cluster: string
  readonly source: KafkaSource
}

const ARN = /^arn:[^:]+:kafka:[^:]*:[^:]*:cluster\/(?<name>[^/]+)\/(?<uuid>[^/]+)$/
const NAME_AND_UUID = /^(?<name>[^/.]+)\.(?<uuid>[^/]+)$/

/**
 * The identity of a cluster. MSK's triggers name it by its ARN, which Kafka does not know: who goes on with the log of a
 * trigger has to say it. Otherwise it is what Kafka calls the cluster.
 * @param setting the cluster's ARN; `name.uuid` of it, as the lake's logs have it; or `self-managed`, as triggers call all
 * clusters that are not MSK's. Undefined for Kafka's own id
 * @throws SettingsError when it is none of them
 */
export function clusterIdentity(
  setting: string | undefined,
  clusterId: string,
  bootstrapServers: string,
): ClusterIdentity {
  if (setting === 'self-managed')
    return { cluster: setting, source: { eventSource: 'SelfManagedKafka', bootstrapServers } }
  const given = setting ?? `kafka.${clusterId}`
  const parts = (ARN.exec(given) ?? NAME_AND_UUID.exec(given))?.groups
  if (parts === undefined)
    throw new SettingsError(
      `KAFKA_CLUSTER: expected the ARN of an MSK cluster, its name.uuid, or self-managed; found ${given}`,
    )
  const { name = '', uuid = '' } = parts
  const arn = ARN.test(given) ? given : `arn:aws:kafka:local:000000000000:cluster/${name}/${uuid}`
  return { cluster: `${name}.${uuid}`, source: { eventSource: 'aws:kafka', arn, bootstrapServers } }
}
