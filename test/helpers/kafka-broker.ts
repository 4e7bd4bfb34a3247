import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import { brokerPid, killBroker } from '#shared/cli/broker/broker-process.ts'
import { bootstrap, type ClusterFolder } from '#shared/cli/broker/cluster-layout.ts'
import { clusterEnvironment, type Environment } from '#shared/cli/broker/cluster-page.ts'
import {
  restartBroker,
  startCluster,
  type StartedCluster,
  stopCluster,
  writeToken,
} from '#shared/cli/broker/local-cluster.ts'
import type { ClusterWish } from '#shared/cli/broker/new-cluster.ts'
import type { Login, User } from '#shared/cli/broker/logins.ts'
import { projectRoot } from './command.ts'

/** Long enough to fetch Kafka, and to start three brokers on a machine that does other things. */
export const KAFKA_TIMEOUT_MS = 300_000
const SETTLED_WITHIN_MS = 30_000

/** A Kafka of its own for a test, in a temporary folder. Whoever starts it has to stop it. */
export class KafkaBroker {
  readonly #cluster: StartedCluster
  readonly #admin: Admin
  readonly #mourner: ChildProcess

  private constructor(cluster: StartedCluster) {
    this.#cluster = cluster
    this.#mourner = whenWeAreGone(['kafka', 'down', '--purge', '--dir', cluster.folder.path])
    this.#admin = new Admin({
      clientId: 'test',
      bootstrapBrokers: this.brokers.split(','),
      retries: 10,
      retryDelay: 200,
    })
  }

  /** @throws Error naming what is missing on the machine, or with the broker's own words */
  static async start(wish: ClusterWish = {}): Promise<KafkaBroker> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-kafka-'))
    try {
      return new KafkaBroker(await startCluster(folder, wish, () => undefined))
    } catch (error) {
      await stopCluster(folder, true)
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.#admin.close().catch(() => undefined)
    await stopCluster(this.folder.path, true)
    this.#mourner.kill('SIGKILL')
  }

  get folder(): ClusterFolder {
    return this.#cluster.folder
  }

  /** `host:port,…` without a login. */
  get brokers(): string {
    return bootstrap(this.#cluster.layout, 'PLAINTEXT')
  }

  get clusterId(): string {
    return this.#cluster.layout.clusterId
  }

  /** What a process needs in its environment to log in like this. */
  async environment(login: Login = 'none', user: User = 'inlet'): Promise<Environment> {
    if (login === 'oauthbearer') await writeToken(this.folder, user, Date.now())
    return clusterEnvironment(this.folder, this.#cluster.layout, login, user)
  }

  password(user: User = 'inlet'): Promise<string> {
    return readFile(this.folder.password(user), 'utf8')
  }

  ca(): Promise<string> {
    return readFile(this.folder.ca, 'utf8')
  }

  /** A client that may do everything, for what is not here. It is closed with the broker. */
  get admin(): Admin {
    return this.#admin
  }

  /**
   * Makes a topic, and waits until every partition has a leader.
   * @param partitions how many, with a replica on every broker; or which brokers hold each of them, the one to lead it first
   */
  async createTopic(
    topic: string,
    partitions: number | readonly (readonly number[])[] = 1,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const placed =
      typeof partitions === 'number'
        ? { partitions, replicas: this.#cluster.layout.brokers.length }
        : { assignments: partitions.map((brokers, partition) => ({ partition, brokers: [...brokers] })) }
    const settings = Object.entries(configs).map(([name, value]) => ({ name, value }))
    await this.#admin.createTopics({ topics: [topic], ...placed, configs: settings })
    const count = typeof partitions === 'number' ? partitions : partitions.length
    for (let i = 0; i < count; i++) await this.leader(topic, i)
  }

  /** Deletes a topic, and waits until the brokers do not know it any more. */
  async deleteTopic(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] })
    for (let waited = 0; waited < SETTLED_WITHIN_MS; waited += 50) {
      if (!(await this.#admin.listTopics()).includes(topic)) return
      await sleep(50)
    }
    throw new Error(`${topic} is still there after ${SETTLED_WITHIN_MS / 1000} s`)
  }

  /** How many records a group of one topic has been told are done: the sum of its committed offsets. */
  async committed(group: string): Promise<number> {
    const groups = await this.#admin.listConsumerGroupOffsets({ groups: [group] })
    const offsets = groups[0]?.topics[0]?.partitions.map((each) => Math.max(0, Number(each.committedOffset))) ?? []
    return offsets.reduce((sum, offset) => sum + offset, 0)
  }

  /** The number of the broker that leads a partition, once there is one other than `not`. */
  async leader(topic: string, partition: number, not = -1): Promise<number> {
    for (let waited = 0; waited < SETTLED_WITHIN_MS; waited += 100) {
      const metadata = await this.#admin.metadata({ topics: [topic], forceUpdate: true }).catch(() => null)
      const leader = metadata?.topics.get(topic)?.partitions[partition]?.leader ?? -1
      if (leader >= 0 && leader !== not) return leader
      await sleep(100)
    }
    throw new Error(`partition ${partition} of ${topic} has no leader after ${SETTLED_WITHIN_MS / 1000} s`)
  }

  /** Waits until all its replicas have all of a partition. */
  async inSync(topic: string, partition: number): Promise<void> {
    for (let waited = 0; waited < SETTLED_WITHIN_MS; waited += 100) {
      const metadata = await this.#admin.metadata({ topics: [topic], forceUpdate: true }).catch(() => null)
      if (metadata?.topics.get(topic)?.partitions[partition]?.isr.length === this.#cluster.layout.brokers.length) return
      await sleep(100)
    }
    throw new Error(`partition ${partition} of ${topic} is not in sync after ${SETTLED_WITHIN_MS / 1000} s`)
  }

  /** SIGKILL: no goodbye, as in a power cut. @param id from 1 */
  kill(id: number): Promise<void> {
    return killBroker(this.folder, id)
  }

  /** A broker that takes connections, and answers nothing. */
  hang(id: number): Promise<void> {
    return this.#signal(id, 'SIGSTOP')
  }

  goOn(id: number): Promise<void> {
    return this.#signal(id, 'SIGCONT')
  }

  async #signal(id: number, signal: NodeJS.Signals): Promise<void> {
    const pid = await brokerPid(this.folder, id)
    if (pid === null) throw new Error(`broker ${id} does not run`)
    process.kill(pid, signal)
  }

  /** Starts a broker again that was killed, on the same ports and with its data. */
  restart(id: number): Promise<void> {
    return restartBroker(this.folder.path, id)
  }
}

/** Calls the CLI when this process has come to its end without a stop, however it did: brokers outlive who starts them. */
function whenWeAreGone(args: readonly string[]): ChildProcess {
  const cli = [process.execPath, path.join(projectRoot, 'shared/cli/inlet.ts'), ...args]
  // Its standard input ends with us; a Ctrl-C in the terminal is not for it.
  const mourner = spawn('sh', ['-c', 'cat; exec "$@"', 'sh', ...cli], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  mourner.unref()
  return mourner
}
