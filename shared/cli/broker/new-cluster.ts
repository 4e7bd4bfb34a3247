import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { kafkaMain } from './broker-process.ts'
import { makeCertificates } from './certificates.ts'
import {
  type BrokerLayout,
  type ClusterFolder,
  type ClusterLayout,
  type Listener,
  LISTENERS,
} from './cluster-layout.ts'
import { freePorts, isFree } from './free-ports.ts'
import { requireCommand } from './java.ts'
import { USERS } from './logins.ts'
import { LOGGING, serverProperties } from './server-properties.ts'

/** What a cluster is asked to be; what is not said is as it was, or one broker without TLS. */
export interface ClusterWish {
  readonly brokers?: 1 | 3
  readonly tls?: boolean
}

/** What a cluster keeps for its life; the file that makes it one comes last. */
export async function createCluster(
  folder: ClusterFolder,
  { brokers = 1, tls = false }: ClusterWish,
): Promise<ClusterLayout> {
  if (tls) await makeCertificates(folder)
  for (const user of USERS)
    await writeFile(folder.password(user), randomBytes(18).toString('base64url'), { mode: 0o600 })
  const layout = {
    clusterId: clusterId(),
    tls,
    brokers: await brokersOnFreePorts(brokers),
  }
  for (const { id } of layout.brokers) {
    // What a broken-off deletion has left belongs to another cluster.
    await rm(folder.broker(id).data, { recursive: true, force: true })
    await mkdir(folder.broker(id).folder, { recursive: true })
  }
  return layout
}

/** As Kafka makes them: 16 random bytes, and never one that looks like an option. */
function clusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? clusterId() : id
}

/** The same ports as long as nobody else has taken them, so that what a shell has been told stays true. */
export async function withFreePorts(layout: ClusterLayout): Promise<ClusterLayout> {
  const free = await Promise.all(layout.brokers.flatMap(({ ports }) => Object.values(ports)).map(isFree))
  if (free.every(Boolean)) return layout
  return { ...layout, brokers: await brokersOnFreePorts(layout.brokers.length) }
}

/** All their ports are chosen together: one that was free for a broker is not given to the next one too. */
async function brokersOnFreePorts(count: number): Promise<BrokerLayout[]> {
  const ports = await freePorts(count * LISTENERS.length)
  return Array.from({ length: count }, (_, i) => {
    const port = (listener: Listener): number => ports[i * LISTENERS.length + LISTENERS.indexOf(listener)] ?? 0
    return {
      id: i + 1,
      ports: {
        PLAINTEXT: port('PLAINTEXT'),
        TLS: port('TLS'),
        SCRAM: port('SCRAM'),
        OAUTH: port('OAUTH'),
        CONTROLLER: port('CONTROLLER'),
      },
    }
  })
}

export async function writeSettings(folder: ClusterFolder, layout: ClusterLayout): Promise<void> {
  for (const broker of layout.brokers)
    await writeFile(folder.broker(broker.id).properties, serverProperties(layout, broker))
  await writeFile(folder.logging, LOGGING)
  // Whole or not at all: this file says that there is a cluster.
  await writeFile(`${folder.layout}.new`, `${JSON.stringify(layout, null, 2)}\n`)
  await rename(`${folder.layout}.new`, folder.layout)
}

/** Prepares the data folder of a broker, where it is new; the passwords become part of the cluster's metadata. */
export async function formatStorage(
  folder: ClusterFolder,
  layout: ClusterLayout,
  id: number,
  jars: string,
): Promise<void> {
  const { data, properties, folder: cwd } = folder.broker(id)
  if (existsSync(`${data}/meta.properties`)) return
  const users = []
  for (const user of USERS) {
    const password = await readFile(folder.password(user), 'utf8')
    users.push('--add-scram', `SCRAM-SHA-512=[name=${user},password=${password}]`)
  }
  const format = ['format', '--cluster-id', layout.clusterId, '--config', properties, ...users]
  await requireCommand('java', ['-Xmx64m', ...kafkaMain(folder, jars, 'kafka.tools.StorageTool'), ...format], { cwd })
}
