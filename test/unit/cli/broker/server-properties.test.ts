import type { ClusterLayout } from '#shared/cli/broker/cluster-layout.ts'
import { serverProperties } from '#shared/cli/broker/server-properties.ts'

const broker = (id: number) => ({
  id,
  ports: { PLAINTEXT: id * 10, TLS: id * 10 + 1, SCRAM: id * 10 + 2, OAUTH: id * 10 + 3, CONTROLLER: id * 10 + 4 },
})

function settings(layout: Pick<ClusterLayout, 'tls' | 'brokers'>, id = 1): Record<string, string> {
  const one = layout.brokers.find((each) => each.id === id)
  if (one === undefined) throw new Error(`no broker ${id}`)
  const lines = serverProperties({ clusterId: 'a', ...layout }, one)
    .trimEnd()
    .split('\n')
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

test('one broker, open on loopback, which keeps everything once', () => {
  expect(settings({ tls: false, brokers: [broker(1)] })).toMatchObject({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': '1@127.0.0.1:14',
    listeners: 'PLAINTEXT://127.0.0.1:10,CONTROLLER://127.0.0.1:14',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:10',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'auto.create.topics.enable': 'false',
  })
})

test('without TLS nobody logs in and nobody is refused', () => {
  const names = Object.keys(settings({ tls: false, brokers: [broker(1)] }))

  expect(names.filter((name) => /ssl|sasl|authorizer|super/.test(name))).toEqual([])
})

test('TLS adds what MSK offers, never to the controllers, and permissions', () => {
  expect(settings({ tls: true, brokers: [broker(1)] })).toMatchObject({
    listeners:
      'PLAINTEXT://127.0.0.1:10,TLS://127.0.0.1:11,SCRAM://127.0.0.1:12,OAUTH://127.0.0.1:13,CONTROLLER://127.0.0.1:14',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:10,TLS://127.0.0.1:11,SCRAM://127.0.0.1:12,OAUTH://127.0.0.1:13',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,TLS:SSL,SCRAM:SASL_SSL,OAUTH:SASL_SSL,CONTROLLER:PLAINTEXT',
    'listener.name.scram.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'listener.name.oauth.sasl.enabled.mechanisms': 'OAUTHBEARER',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:inlet',
  })
})

test('three brokers know one another, keep everything three times and acknowledge what two have', () => {
  expect(settings({ tls: false, brokers: [broker(1), broker(2), broker(3)] }, 2)).toMatchObject({
    'node.id': '2',
    'controller.quorum.voters': '1@127.0.0.1:14,2@127.0.0.1:24,3@127.0.0.1:34',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:20',
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': '3',
    'transaction.state.log.replication.factor': '3',
    'transaction.state.log.min.isr': '2',
  })
})

test('a message may have 10 MB, on its way to the other brokers too', () => {
  const { 'message.max.bytes': message, 'replica.fetch.max.bytes': fetch } = settings({
    tls: false,
    brokers: [broker(1)],
  })

  expect(Number(message)).toBeGreaterThanOrEqual(10 * 1024 * 1024)
  expect(fetch).toBe(message)
})
