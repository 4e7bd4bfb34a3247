import type { BrokerLayout, ClusterLayout, Listener } from './cluster-layout.ts'

/** The largest message that a provisioned MSK cluster can be set to: 10 MB, and what surrounds it. */
const MESSAGE_MAX_BYTES = 10_485_880
/** Of a key and a certificate that are made anew for each cluster and lie beside the password. */
export const KEYSTORE_PASSWORD = 'local-kafka'

const PROTOCOLS: Readonly<Record<Listener, string>> = {
  PLAINTEXT: 'PLAINTEXT',
  TLS: 'SSL',
  SCRAM: 'SASL_SSL',
  OAUTH: 'SASL_SSL',
  CONTROLLER: 'PLAINTEXT',
}
const SCRAM_LOGIN = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
const OAUTH_LOGIN =
  'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'

/**
 * The settings of a broker that is its own controller too (KRaft, combined mode). Its paths are relative to its folder, so
 * that no path of the machine has to be written the way a properties file wants it.
 */
export function serverProperties(layout: ClusterLayout, broker: BrokerLayout): string {
  const lines = Object.entries({ ...identity(layout, broker), ...replication(layout), ...economy, ...rules(layout) })
  return lines.map(([name, value]) => `${name}=${value}\n`).join('')
}

function identity({ brokers, tls }: ClusterLayout, { id, ports }: BrokerLayout): Record<string, string | number> {
  const offered: readonly Listener[] = tls ? ['PLAINTEXT', 'TLS', 'SCRAM', 'OAUTH'] : ['PLAINTEXT']
  const at = (listener: Listener): string => `${listener}://127.0.0.1:${ports[listener]}`
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': brokers.map((each) => `${each.id}@127.0.0.1:${each.ports.CONTROLLER}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: [...offered, 'CONTROLLER' as const].map(at).join(','),
    'advertised.listeners': offered.map(at).join(','),
    'listener.security.protocol.map': [...offered, 'CONTROLLER' as const]
      .map((listener) => `${listener}:${PROTOCOLS[listener]}`)
      .join(','),
    'log.dirs': 'data',
    ...(tls ? login : {}),
  }
}

const login = {
  'ssl.keystore.type': 'PKCS12',
  'ssl.keystore.location': '../broker.p12',
  'ssl.keystore.password': KEYSTORE_PASSWORD,
  'listener.name.scram.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
  'listener.name.scram.scram-sha-512.sasl.jaas.config': SCRAM_LOGIN,
  'listener.name.oauth.sasl.enabled.mechanisms': 'OAUTHBEARER',
  'listener.name.oauth.oauthbearer.sasl.jaas.config': OAUTH_LOGIN,
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  // Who comes without a login (PLAINTEXT, TLS, the brokers themselves) may do everything, as on MSK without IAM.
  'super.users': 'User:ANONYMOUS;User:inlet',
}

/** Three brokers keep every record three times, and acknowledge it when two have it, as MSK's default is. */
function replication({ brokers }: ClusterLayout): Record<string, number> {
  const replicas = Math.min(3, brokers.length)
  const inSync = Math.max(1, replicas - 1)
  return {
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
  }
}

/** A laptop has better things to do. */
const economy = {
  'num.network.threads': 2,
  'num.io.threads': 2,
  'background.threads': 2,
  'num.recovery.threads.per.data.dir': 1,
  'offsets.topic.num.partitions': 4,
  'transaction.state.log.num.partitions': 4,
  'share.coordinator.state.topic.num.partitions': 4,
  'log.cleaner.dedupe.buffer.size': 16_777_216,
  // All brokers stop at once: there is nobody to hand leadership to.
  'controlled.shutdown.enable': 'false',
}

function rules({ brokers }: ClusterLayout): Record<string, string | number> {
  return {
    'auto.create.topics.enable': 'false',
    'message.max.bytes': MESSAGE_MAX_BYTES,
    'replica.fetch.max.bytes': MESSAGE_MAX_BYTES,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that was killed is noticed soon; one alone has nobody to notice it.
    ...(brokers.length > 1 ? { 'broker.session.timeout.ms': 3000, 'broker.heartbeat.interval.ms': 500 } : {}),
  }
}

/** Kafka's log on its standard output: what goes wrong, and that it is ready. */
export const LOGGING = `rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %m (%c)%n
logger.ready.name = kafka.server.KafkaRaftServer
logger.ready.level = INFO
`
