import { access, readFile, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { Admin, type BaseOptions, Consumer, MessagesStreamModes, Producer } from '@platformatic/kafka'
import { brokerPid } from '#shared/cli/broker/broker-process.ts'
import { ClusterFolder } from '#shared/cli/broker/cluster-layout.ts'
import { clientOptions, type KafkaAuth } from '#shared/sources/kafka-connection.ts'
import { inlet, type Result } from '#test/helpers/command.ts'
import { KAFKA_TIMEOUT_MS, KafkaBroker } from '#test/helpers/kafka-broker.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { temporaryKafka } from '#test/helpers/temporary-kafka.ts'

async function kafka(...args: readonly string[]): Promise<Result> {
  const result = await inlet(['kafka', ...args])
  if (result.code !== 0) throw new Error(`kafka ${args.join(' ')}: ${result.stderr}`)
  return result
}

const json = ({ stdout }: Result): unknown => JSON.parse(stdout)

describe('a Kafka of one’s own', () => {
  // Before the directory goes: what is to be done after a test is done in this order.
  afterEach(() => inlet(['kafka', 'down', '--purge', '--dir', directory()]))
  const directory = temporaryDirectory()

  test(
    'goes up, stays, says where it is, and goes down',
    async () => {
      const dir = ['--dir', directory()]
      const nothing = await inlet(['kafka', 'status', ...dir])
      const up = json(await kafka('up', '--json', ...dir)) as Up
      const again = json(await kafka('up', '--json', ...dir)) as Up
      const env = json(await kafka('env', '--json', ...dir)) as Record<string, string>
      const page = await kafka('status', ...dir)
      const seen = await describeCluster({ clientId: 'test', bootstrapBrokers: [env['KAFKA_BROKERS'] ?? ''] })
      const down = await kafka('down', ...dir)
      const stopped = await inlet(['kafka', 'status', '--json', ...dir])

      expect([nothing.code, nothing.stdout]).toEqual([1, expect.stringContaining('kafka up makes one')])
      expect(up.started).toEqual([1])
      expect(again).toEqual({ ...up, started: [] })
      expect(env).toEqual({ KAFKA_BROKERS: up.cluster.addresses['none'], KAFKA_TLS: 'false' })
      expect(page.stdout).toContain(`process ${up.cluster.brokers[0]?.pid}`)
      expect(seen.id).toBe(up.cluster.id)
      expect(down.stdout).toBe('Stopped: broker 1.\n')
      expect([stopped.code, json(stopped)]).toMatchObject([1, { cluster: { brokers: [{ id: 1, pid: null }] } }])
    },
    KAFKA_TIMEOUT_MS,
  )

  test(
    'keeps its topics and its address over a stop, and refuses to become another kind',
    async () => {
      const dir = ['--dir', directory()]
      const { cluster } = json(await kafka('up', '--json', ...dir)) as Up
      const admin = { clientId: 'test', bootstrapBrokers: [cluster.addresses['none'] ?? ''] }
      await withAdmin(admin, (client) => client.createTopics({ topics: ['kept'], partitions: 2 }))
      await kafka('down', ...dir)
      const other = await inlet(['kafka', 'up', '--brokers', '3', ...dir])
      const again = json(await kafka('up', '--json', ...dir)) as Up
      const topics = await withAdmin(admin, (client) => client.listTopics())
      await kafka('down', '--purge', ...dir)

      expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('kafka down --purge')])
      expect(again.cluster.addresses).toEqual(cluster.addresses)
      expect(topics).toContain('kept')
      await expect(access(directory())).rejects.toThrow('ENOENT')
    },
    KAFKA_TIMEOUT_MS,
  )

  test('says what is missing on the machine', async () => {
    const { PATH } = process.env
    process.env['PATH'] = directory()
    const up = await inlet(['kafka', 'up', '--dir', directory()]).finally(() => (process.env['PATH'] = PATH))

    expect([up.code, up.stderr]).toEqual([2, expect.stringMatching(/^inlet: the command java is not there; .*install/)])
  })

  test(
    'leaves a process alone that has got the number of a broker',
    async () => {
      const dir = ['--dir', directory()]
      const { cluster } = json(await kafka('up', '--json', ...dir)) as Up
      const pid = cluster.brokers[0]?.pid ?? 0
      process.kill(pid, 'SIGKILL')
      const folder = new ClusterFolder(directory())
      while ((await brokerPid(folder, 1)) !== null);
      await writeFile(folder.broker(1).pid, String(process.pid))
      const down = await kafka('down', ...dir)
      const up = json(await kafka('up', '--json', ...dir)) as Up

      // We are still here.
      expect(down.stdout).toBe('No broker was running.\n')
      expect(up.started).toEqual([1])
    },
    KAFKA_TIMEOUT_MS,
  )

  test(
    'tells why a broker does not come up, and leaves none behind',
    async () => {
      const dir = ['--dir', directory()]
      await kafka('up', ...dir)
      await kafka('down', ...dir)
      const folder = new ClusterFolder(directory())
      const meta = `${folder.broker(1).data}/meta.properties`
      await writeFile(meta, (await readFile(meta, 'utf8')).replace(/node.id=.*/, 'node.id=7'))
      const up = await inlet(['kafka', 'up', ...dir])

      expect(up.code).toBe(1)
      expect(up.stderr).toMatch(/inlet: broker 1 has ended: .*node id 7/)
      expect(await brokerPid(folder, 1)).toBeNull()
    },
    KAFKA_TIMEOUT_MS,
  )
})

describe('with TLS', () => {
  const broker = temporaryKafka({ tls: true })
  beforeAll(() => broker().createTopic('numbers'))

  async function options(
    login: 'tls' | 'scram' | 'oauthbearer',
    user: 'inlet' | 'stranger' = 'inlet',
    password?: string,
  ) {
    const environment = await broker().environment(login, user)
    const auths: Record<string, KafkaAuth> = {
      tls: { kind: 'none' },
      scram: {
        kind: 'scram',
        hash: 'SHA-512',
        username: user,
        password: async () => password ?? (await broker().password(user)),
      },
      oauthbearer: { kind: 'oauthbearer', token: () => readFile(environment.KAFKA_TOKEN_FILE ?? '', 'utf8') },
    }
    const brokers = [environment.KAFKA_BROKERS ?? '']
    return clientOptions({ brokers, tls: { ca: await broker().ca() }, auth: auths[login] ?? { kind: 'none' } }, 'test')
  }

  test.each(['tls', 'scram', 'oauthbearer'] as const)('inlet logs in by %s and may do everything', async (login) => {
    const value = Buffer.alloc(9_900_000, login)
    await send(await options(login), 'numbers', value)
    const values = await readAll(await options(login), 'numbers')

    expect(values.at(-1)?.equals(value)).toBe(true)
  })

  test.each(['scram', 'oauthbearer'] as const)('a stranger logs in by %s and may do nothing', async (login) => {
    const sending = send(await options(login, 'stranger'), 'numbers', Buffer.from('1'))

    await expect(sending.catch(everyMessage)).resolves.toMatch(/authori[sz]/i)
  })

  test('who has the wrong password is sent away', async () => {
    const sending = send(await options('scram', 'inlet', 'wrong'), 'numbers', Buffer.from('1'))

    await expect(sending.catch(everyMessage)).resolves.toMatch(/authentication/i)
  })

  test('a certificate is not trusted without its authority', async () => {
    const { tls: _trusted, ...untrusting } = await options('tls')

    await expect(describeCluster({ ...untrusting, tls: {} }).catch(everyMessage)).resolves.toMatch(/certificate/)
  })
})

test(
  'three brokers lose nothing when one is killed, and take it back',
  async () => {
    const broker = await KafkaBroker.start({ brokers: 3 })
    try {
      const base = { clientId: 'test', bootstrapBrokers: broker.brokers.split(','), retries: 20, retryDelay: 200 }
      await broker.createTopic('numbers')
      const leader = await broker.leader('numbers', 0)
      await send(base, 'numbers', Buffer.from('before'))
      await broker.kill(leader)
      const next = await broker.leader('numbers', 0, leader)
      await send(base, 'numbers', Buffer.from('after'))
      const values = await readAll(base, 'numbers')
      await broker.restart(leader)
      await broker.inSync('numbers', 0)

      expect(next).not.toBe(leader)
      expect(values.map(String)).toEqual(['before', 'after'])
    } finally {
      await broker.stop()
    }
  },
  KAFKA_TIMEOUT_MS,
)

interface Up {
  readonly started: readonly number[]
  readonly cluster: {
    readonly id: string
    readonly addresses: Readonly<Record<string, string>>
    readonly brokers: readonly { readonly id: number; readonly pid: number | null }[]
  }
}

async function withAdmin<T>(options: BaseOptions, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin(options)
  try {
    return await work(admin)
  } finally {
    await admin.close()
  }
}

const describeCluster = (options: BaseOptions) => withAdmin(options, (admin) => admin.metadata({ topics: [] }))

async function send(options: BaseOptions, topic: string, value: Buffer): Promise<void> {
  const producer = new Producer(options)
  try {
    await producer.send({ messages: [{ topic, value }], acks: -1 })
  } finally {
    await producer.close()
  }
}

/** All that the only partition of a topic holds. */
async function readAll(options: BaseOptions, topic: string): Promise<Buffer[]> {
  // The first group of a cluster has to wait for its coordinator.
  const consumer = new Consumer({ ...options, groupId: `all-of-${topic}`, retries: 50, retryDelay: 200 })
  try {
    const { [0]: end = 0n } = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? []
    const values: Buffer[] = []
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, maxBytes: 20_000_000 })
    for await (const { value, offset } of stream) {
      values.push(value)
      if (offset === end - 1n) break
    }
    return values
  } finally {
    await consumer.close(true)
  }
}

/** The messages of an error and of all that it holds. */
function everyMessage(error: unknown): string {
  const { message, cause, errors = [] } = error as Error & { errors?: unknown[] }
  return [message, ...errors.map(everyMessage), ...(cause === undefined ? [] : [everyMessage(cause)])].join('\n')
}
