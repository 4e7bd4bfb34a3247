import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long it may take until it listens. */
export const READY_WITHIN_MS = 30_000

/**
 * A server written in Python, on a port of its own that it tells in its log as Werkzeug does, in a temporary folder. It has to
 * end when its standard input ends: then it never outlives us, however we come to our end.
 */
export class PythonServer {
  readonly endpoint: string
  /** Where it was started; removed with it. */
  readonly folder: string
  readonly #process: ChildProcess

  private constructor(endpoint: string, process: ChildProcess, folder: string) {
    this.endpoint = endpoint
    this.#process = process
    this.folder = folder
  }

  /** Whoever starts it has to stop it. @throws Error with what the server said, when it does not come to listen */
  static async start(
    python: string,
    args: readonly string[],
    environment: Record<string, string>,
  ): Promise<PythonServer> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'inlet-server-'))
    const log = path.join(folder, 'log')
    const process = await launch(python, args, environment, folder, log)
    try {
      return new PythonServer(await readyEndpoint(process, log), process, folder)
    } catch (error) {
      await end(process, folder)
      throw error
    }
  }

  stop(): Promise<void> {
    return end(this.#process, this.folder)
  }
}

async function launch(
  python: string,
  args: readonly string[],
  environment: Record<string, string>,
  folder: string,
  logFile: string,
): Promise<ChildProcess> {
  const log = await open(logFile, 'w')
  const launched = spawn(python, args, {
    cwd: folder,
    // A session of its own: a Ctrl-C in the terminal is for the tests, which then stop it.
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
    env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: folder, PYTHONUNBUFFERED: '1', ...environment },
  })
  await once(launched, 'spawn')
  await log.close()
  return launched
}

async function readyEndpoint(server: ChildProcess, log: string): Promise<string> {
  const hasEnded = (): boolean => server.exitCode !== null || server.signalCode !== null
  for (let waited = 0; waited < READY_WITHIN_MS && !hasEnded(); waited += 50) {
    const endpoint = /Running on (https?:\/\/127\.0\.0\.1:\d+)/.exec(await readFile(log, 'utf8'))?.[1]
    if (endpoint !== undefined) return endpoint
    await sleep(50)
  }
  const said = (await readFile(log, 'utf8')).slice(-2000)
  const state = hasEnded() ? `ended with code ${server.exitCode ?? server.signalCode}` : 'is not ready'
  throw new Error(`the server ${state}. It said:\n${said}`)
}

async function end(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const exited = once(server, 'exit')
    server.kill('SIGTERM')
    const force = setTimeout(() => server.kill('SIGKILL'), 5000)
    await exited
    clearTimeout(force)
  }
  endGroup(server)
  await rm(folder, { recursive: true, force: true })
}

/** What the server has started and left behind. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // There is nothing of it.
  }
}
