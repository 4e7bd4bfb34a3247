import { textTable } from '#shared/cli/text-table.ts'
import { bootstrap, type ClusterFolder, type ClusterLayout, type Listener } from './cluster-layout.ts'
import type { ClusterStatus } from './local-cluster.ts'
import { type Login, LOGINS, type User } from './logins.ts'

const LISTENER: Readonly<Record<Login, Listener>> = {
  none: 'PLAINTEXT',
  tls: 'TLS',
  scram: 'SCRAM',
  oauthbearer: 'OAUTH',
}

/** All that `kafka env` can set; what a login does not need is unset, so that one login does not leave its traces to the next. */
const VARIABLES = [
  'KAFKA_BROKERS',
  'KAFKA_TLS',
  'KAFKA_CA_FILE',
  'KAFKA_SASL',
  'KAFKA_USERNAME',
  'KAFKA_PASSWORD_FILE',
  'KAFKA_TOKEN_FILE',
] as const

export type Environment = Partial<Record<(typeof VARIABLES)[number], string>>

/** What connects every command to a local cluster. */
export function clusterEnvironment(
  folder: ClusterFolder,
  layout: ClusterLayout,
  login: Login,
  user: User,
): Environment {
  return {
    KAFKA_BROKERS: bootstrap(layout, LISTENER[login]),
    KAFKA_TLS: login === 'none' ? 'false' : 'true',
    ...(login === 'none' ? {} : { KAFKA_CA_FILE: folder.ca }),
    ...(login === 'scram'
      ? { KAFKA_SASL: 'scram-sha-512', KAFKA_USERNAME: user, KAFKA_PASSWORD_FILE: folder.password(user) }
      : {}),
    ...(login === 'oauthbearer' ? { KAFKA_SASL: 'oauthbearer', KAFKA_TOKEN_FILE: folder.token(user) } : {}),
  }
}

/** For `eval "$(…)"` in a shell. */
export function environmentLines(environment: Environment): string {
  const unset = VARIABLES.filter((name) => environment[name] === undefined)
  const set = VARIABLES.flatMap((name) => {
    const value = environment[name]
    return value === undefined ? [] : [`export ${name}=${quoted(value)}`]
  })
  return [...(unset.length > 0 ? [`unset ${unset.join(' ')}`] : []), ...set].join('\n')
}

/** A word of a POSIX shell. */
function quoted(value: string): string {
  return /^[\w.,:/@%+-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`
}

/** The same for programs: null where there is no cluster. */
export function statusJson({ folder, layout, brokers }: ClusterStatus): object {
  if (layout === null) return { folder: folder.path, cluster: null }
  const logins = layout.tls ? LOGINS : (['none'] as const)
  const addresses = logins.map((login) => [login, bootstrap(layout, LISTENER[login])])
  return {
    folder: folder.path,
    cluster: { id: layout.clusterId, tls: layout.tls, addresses: Object.fromEntries(addresses) as object, brokers },
  }
}

export function statusPage({ folder, layout, brokers }: ClusterStatus): string {
  if (layout === null) return `No cluster in ${folder.path}: kafka up makes one.`
  const logins: readonly Login[] = layout.tls ? LOGINS : ['none']
  const rows = layout.brokers.map(({ id, ports }) => {
    const pid = brokers.find((each) => each.id === id)?.pid ?? null
    return [
      String(id),
      pid === null ? 'stopped' : `process ${pid}`,
      ...logins.map((login) => String(ports[LISTENER[login]])),
    ]
  })
  return `Apache Kafka, cluster ${layout.clusterId}, in ${folder.path}; ports of 127.0.0.1:
${textTable(['broker', 'state', ...logins.map((login) => LABELS[login])], rows)}`
}

const LABELS: Readonly<Record<Login, string>> = {
  none: 'plaintext',
  tls: 'TLS',
  scram: 'TLS + SCRAM-SHA-512',
  oauthbearer: 'TLS + OAUTHBEARER',
}

/** @param started the brokers that `up` had to start */
export function upPage(status: ClusterStatus, started: readonly number[]): string {
  const isTls = status.layout?.tls === true
  return `${started.length === 0 ? 'It is running already. ' : ''}${statusPage(status)}

Connect the commands of this shell with
  eval "$(npm run -s inlet -- kafka env${isTls ? ' --login scram' : ''})"`
}
