import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ClusterFolder } from './cluster-layout.ts'
import { LocalClusterError } from './java.ts'

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 5000
const POLL_MS = 50
/** A small heap and the quick compiler: a broker is ready in 2 to 6 s and takes about 210 MiB. */
const JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Starts a broker, which outlives us. @throws LocalClusterError when there is no java */
export async function launchBroker(folder: ClusterFolder, id: number, jars: string): Promise<void> {
  const files = folder.broker(id)
  const log = await open(files.log, 'w')
  try {
    const broker = spawn('java', [...JVM, ...kafkaMain(folder, jars, 'kafka.Kafka'), files.properties], {
      cwd: files.folder,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    await once(broker, 'spawn')
    await writeFile(files.pid, `${broker.pid}\n`)
    broker.unref()
  } finally {
    await log.close()
  }
}

/** What java needs to run a class of Kafka. */
export function kafkaMain(folder: ClusterFolder, jars: string, main: string): string[] {
  return [`-Dlog4j2.configurationFile=${folder.logging}`, '-cp', path.join(jars, '*'), main]
}

/** Waits until a broker serves. @throws LocalClusterError with the broker's own words when it ends or does not come to it */
export async function whenReady(folder: ClusterFolder, id: number): Promise<void> {
  const { log } = folder.broker(id)
  for (let waited = 0; waited < READY_WITHIN_MS; waited += POLL_MS) {
    const isRunning = (await brokerPid(folder, id)) !== null
    const said = await readFile(log, 'utf8')
    if (said.includes('Kafka Server started')) return
    if (!isRunning) throw new LocalClusterError(`broker ${id} has ended: ${brokerFault(said)} (its log: ${log})`)
    await sleep(POLL_MS)
  }
  const said = brokerFault(await readFile(log, 'utf8'))
  throw new LocalClusterError(`broker ${id} is not ready after ${READY_WITHIN_MS / 1000} s: ${said} (its log: ${log})`)
}

/** The line of a broker's log that says what is wrong: the first cause of the first error. */
export function brokerFault(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const from = lines.findIndex((line) => / (?:ERROR|FATAL) |^Exception|^Error/.test(line))
  if (from < 0) return lines.at(-1)?.trim() ?? 'it said nothing'
  const thrown = lines.slice(from + 1).find((line) => /^(?:Caused by: )?[\w.$]+(?:Exception|Error)\b/.test(line))
  return (thrown ?? lines[from] ?? '').trim()
}

/** The process of a broker that runs, null when none does. A process that has got an old number is not taken for it. */
export async function brokerPid(folder: ClusterFolder, id: number): Promise<number | null> {
  const { pid, properties } = folder.broker(id)
  const text = await readFile(pid, 'utf8').catch(() => '')
  const number = Number(text.trim())
  if (!Number.isSafeInteger(number) || number < 2) return null
  return isBrokerCommand(await commandOf(number), properties) ? number : null
}

/** Whether a command line is that of Kafka with these properties. */
export function isBrokerCommand(command: string, properties: string): boolean {
  return command.includes('kafka.Kafka') && command.trimEnd().endsWith(` ${properties}`)
}

/** The command line of a process, empty when there is none. Linux tells it in a file; elsewhere `ps` knows it. */
async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return line.replaceAll('\0', ' ')
  }
  const listed = await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => null)
  return listed?.stdout ?? ''
}

/** Asks a broker to stop and, after 5 s, makes it. @returns whether there was one */
export async function stopBroker(folder: ClusterFolder, id: number): Promise<boolean> {
  const pid = await brokerPid(folder, id)
  if (pid !== null) {
    signal(pid, 'SIGTERM')
    if (!(await hasEnded(folder, id, STOP_WITHIN_MS))) await killBroker(folder, id)
  }
  await rm(folder.broker(id).pid, { force: true })
  return pid !== null
}

/** Ends a broker without asking, as a power cut would. @throws LocalClusterError when it lives on */
export async function killBroker(folder: ClusterFolder, id: number): Promise<void> {
  const pid = await brokerPid(folder, id)
  if (pid !== null) signal(pid, 'SIGKILL')
  if (await hasEnded(folder, id, STOP_WITHIN_MS)) return
  throw new LocalClusterError(`broker ${id} (process ${pid}) cannot be stopped`)
}

async function hasEnded(folder: ClusterFolder, id: number, withinMs: number): Promise<boolean> {
  for (let waited = 0; waited < withinMs; waited += POLL_MS) {
    if ((await brokerPid(folder, id)) === null) return true
    await sleep(POLL_MS)
  }
  return false
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It has just ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
