import { spawnSync } from 'node:child_process'
import { ClusterFolder, type ClusterLayout } from '#shared/cli/broker/cluster-layout.ts'
import {
  clusterEnvironment,
  environmentLines,
  statusJson,
  statusPage,
  upPage,
} from '#shared/cli/broker/cluster-page.ts'

const folder = new ClusterFolder('/a/folder')
const ports = { PLAINTEXT: 1001, TLS: 1002, SCRAM: 1003, OAUTH: 1004, CONTROLLER: 1005 }
const layout: ClusterLayout = {
  clusterId: 'the-id',
  tls: true,
  brokers: [
    { id: 1, ports },
    { id: 2, ports: { ...ports, PLAINTEXT: 2001, SCRAM: 2003 } },
  ],
}
const status = {
  folder,
  layout,
  brokers: [
    { id: 1, pid: 77 },
    { id: 2, pid: null },
  ],
}

test.each([
  ['none', { KAFKA_BROKERS: '127.0.0.1:1001,127.0.0.1:2001', KAFKA_TLS: 'false' }],
  ['tls', { KAFKA_BROKERS: '127.0.0.1:1002,127.0.0.1:1002', KAFKA_TLS: 'true', KAFKA_CA_FILE: '/a/folder/ca.pem' }],
  [
    'scram',
    {
      KAFKA_BROKERS: '127.0.0.1:1003,127.0.0.1:2003',
      KAFKA_TLS: 'true',
      KAFKA_CA_FILE: '/a/folder/ca.pem',
      KAFKA_SASL: 'scram-sha-512',
      KAFKA_USERNAME: 'stranger',
      KAFKA_PASSWORD_FILE: '/a/folder/stranger.password',
    },
  ],
  [
    'oauthbearer',
    {
      KAFKA_BROKERS: '127.0.0.1:1004,127.0.0.1:1004',
      KAFKA_TLS: 'true',
      KAFKA_CA_FILE: '/a/folder/ca.pem',
      KAFKA_SASL: 'oauthbearer',
      KAFKA_TOKEN_FILE: '/a/folder/stranger.token',
    },
  ],
] as const)('what connects by %s', (login, environment) => {
  expect(clusterEnvironment(folder, layout, login, 'stranger')).toEqual(environment)
})

test('a shell takes the lines, whatever is in a path, and forgets an earlier login', () => {
  const ca = "/it's $HOME/a b.pem"
  const lines = environmentLines({ KAFKA_BROKERS: '127.0.0.1:1', KAFKA_TLS: 'true', KAFKA_CA_FILE: ca })
  const script = `KAFKA_SASL=old; ${lines}\nprintf '%s|' "$KAFKA_CA_FILE" "$KAFKA_BROKERS" "\${KAFKA_SASL-none}"`
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' })

  expect(stdout).toBe(`${ca}|127.0.0.1:1|none|`)
})

test('the page shows each broker, whether it runs, and where', () => {
  const rows = statusPage(status).split('\n')

  expect(rows[0]).toContain('cluster the-id, in /a/folder')
  expect(rows.find((row) => row.includes('process 77'))).toMatch(/1\s+process 77\s+1001\s+1002\s+1003\s+1004/)
  expect(rows.find((row) => row.includes('stopped'))).toMatch(/2\s+stopped\s+2001\s+1002\s+2003\s+1004/)
})

test('without TLS nothing is shown but the open port', () => {
  const page = statusPage({ ...status, layout: { ...layout, tls: false } })

  expect(page).toContain('1001')
  expect(page).not.toMatch(/1002|SCRAM/)
})

test('up says when there was nothing to start, and what to type next', () => {
  expect(upPage(status, [])).toMatch(/^It is running already\..*kafka env --login scram/s)
  expect(upPage(status, [1])).not.toContain('already')
})

test('programs get the addresses of each login, and null where there is no cluster', () => {
  expect(statusJson(status)).toEqual({
    folder: '/a/folder',
    cluster: {
      id: 'the-id',
      tls: true,
      addresses: {
        none: '127.0.0.1:1001,127.0.0.1:2001',
        tls: '127.0.0.1:1002,127.0.0.1:1002',
        scram: '127.0.0.1:1003,127.0.0.1:2003',
        oauthbearer: '127.0.0.1:1004,127.0.0.1:1004',
      },
      brokers: status.brokers,
    },
  })
  expect(statusJson({ folder, layout: null, brokers: [] })).toEqual({ folder: '/a/folder', cluster: null })
})
