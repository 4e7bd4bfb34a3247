import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { UsageError } from '#shared/cli/failure.ts'
import { brokerPid, launchBroker, stopBroker, whenReady } from './broker-process.ts'
import { ClusterFolder, type ClusterLayout, parseLayout } from './cluster-layout.ts'
import { withLock } from './folder-lock.ts'
import { LocalClusterError, requireJava } from './java.ts'
import { kafkaJars } from './kafka-jars.ts'
import { type ClusterWish, createCluster, formatStorage, withFreePorts, writeSettings } from './new-cluster.ts'
import { type User, USERS } from './logins.ts'
import { unsecuredToken } from './unsecured-token.ts'

const TOKEN_SECONDS = 86_400

export interface ClusterStatus {
  readonly folder: ClusterFolder
  /** null where there is none. */
  readonly layout: ClusterLayout | null
  readonly brokers: readonly { readonly id: number; readonly pid: number | null }[]
}

export interface StartedCluster extends ClusterStatus {
  readonly layout: ClusterLayout
  /** The brokers that did not run before. */
  readonly started: readonly number[]
}

/** @throws LocalClusterError when what is in the folder is not a cluster of ours */
export async function clusterStatus(path: string): Promise<ClusterStatus> {
  const folder = new ClusterFolder(path)
  if (!existsSync(folder.layout)) return { folder, layout: null, brokers: [] }
  const layout = await readLayout(folder)
  const brokers = []
  for (const { id } of layout.brokers) brokers.push({ id, pid: await brokerPid(folder, id) })
  return { folder, layout, brokers }
}

/**
 * Makes a cluster run: fetches Kafka, makes what the cluster needs, starts the brokers that do not run, and waits until all serve.
 * Those that it has started are stopped again when one of them does not come up.
 * @returns its state, and which brokers were started
 * @throws UsageError when Java or Maven is missing, or a cluster of another kind is there; LocalClusterError otherwise
 */
export async function startCluster(
  path: string,
  wish: ClusterWish,
  say: (text: string) => void,
): Promise<StartedCluster> {
  await requireJava()
  const jars = await kafkaJars(say)
  const folder = new ClusterFolder(path)
  await mkdir(folder.path, { recursive: true, mode: 0o700 })
  return withLock(folder.lock, async () => {
    const before = await clusterStatus(path)
    if (before.layout !== null) requireSame(before.layout, wish, folder)
    const layout = before.layout ?? (await createCluster(folder, wish))
    const running = new Set(before.brokers.filter(({ pid }) => pid !== null).map(({ id }) => id))
    const current = running.size > 0 ? layout : await withFreePorts(layout)
    const started = current.brokers.map(({ id }) => id).filter((id) => !running.has(id))
    await writeSettings(folder, current)
    if (started.length > 0) say(`starting ${started.length === 1 ? 'a broker' : `${started.length} brokers`}`)
    await startBrokers(folder, current, started, jars)
    return { ...(await clusterStatus(path)), layout: current, started }
  })
}

/** Starts those of a cluster's brokers, side by side: three can only begin to serve together. */
async function startBrokers(
  folder: ClusterFolder,
  layout: ClusterLayout,
  ids: readonly number[],
  jars: string,
): Promise<void> {
  try {
    await Promise.all(ids.map((id) => formatStorage(folder, layout, id, jars)))
    await Promise.all(ids.map((id) => launchBroker(folder, id, jars)))
    await Promise.all(ids.map((id) => whenReady(folder, id)))
  } catch (error) {
    await Promise.all(ids.map((id) => stopBroker(folder, id)))
    throw error
  }
}

/** Starts one broker of a cluster again. @throws LocalClusterError with the broker's own words when it does not come up */
export async function restartBroker(path: string, id: number): Promise<void> {
  const folder = new ClusterFolder(path)
  await launchBroker(folder, id, await kafkaJars(() => undefined))
  await whenReady(folder, id)
}

/**
 * Stops all brokers.
 * @param purge whether to delete the cluster too; whatever else lies in its folder stays
 * @returns which were running
 */
export async function stopCluster(path: string, purge: boolean): Promise<readonly number[]> {
  const folder = new ClusterFolder(path)
  if (!existsSync(folder.path)) return []
  const stopped = await withLock(folder.lock, async () => {
    const { layout, brokers } = await clusterStatus(path)
    await Promise.all(brokers.map(({ id }) => stopBroker(folder, id)))
    if (purge && layout !== null) await deleteCluster(folder, layout)
    return brokers.filter(({ pid }) => pid !== null).map(({ id }) => id)
  })
  if (purge) await rmdir(folder.path).catch(() => undefined)
  return stopped
}

/** The file that makes it a cluster goes first: what is left of a broken-off deletion is no cluster. */
async function deleteCluster(folder: ClusterFolder, { brokers }: ClusterLayout): Promise<void> {
  const secrets = USERS.flatMap((user) => [folder.password(user), folder.token(user)])
  for (const file of [folder.layout, folder.ca, folder.keystore, folder.logging, ...secrets])
    await rm(file, { force: true })
  for (const { id } of brokers) await rm(folder.broker(id).folder, { recursive: true, force: true, maxRetries: 3 })
}

/** Writes a token for a user's login. @param now in milliseconds since 1970 @returns the file, good for a day */
export async function writeToken(folder: ClusterFolder, user: User, now: number): Promise<string> {
  const issued = Math.floor(now / 1000)
  const file = folder.token(user)
  await writeFile(file, unsecuredToken(user, issued, issued + TOKEN_SECONDS), { mode: 0o600 })
  return file
}

async function readLayout(folder: ClusterFolder): Promise<ClusterLayout> {
  try {
    return parseLayout(await readFile(folder.layout, 'utf8'))
  } catch (cause) {
    throw new LocalClusterError(`${folder.layout} is not what kafka up has written: delete ${folder.path}`, { cause })
  }
}

function requireSame({ brokers, tls }: ClusterLayout, wish: ClusterWish, folder: ClusterFolder): void {
  const isSame = (wish.brokers ?? brokers.length) === brokers.length && (wish.tls ?? tls) === tls
  if (isSame) return
  const kind = `${brokers.length === 1 ? 'one broker' : `${brokers.length} brokers`} ${tls ? 'with' : 'without'} TLS`
  throw new UsageError(
    `${folder.path} has a cluster of ${kind}: take that one (up without options), or delete it and its data first: kafka down --purge`,
  )
}
