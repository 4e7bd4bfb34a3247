import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { projectRoot } from './command.ts'

/** How a process came to its end, and what it printed. */
export interface Outcome {
  /** The signal that ended it, or `ok`, or its exit code and what it said of it. */
  readonly end: string
  readonly printed: string
}

/** Starts the command in a process of its own, which knows nothing of our environment but what it is given. */
export type StartInlet = (
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  nodeOptions?: readonly string[],
) => ChildProcess

/**
 * For a file of tests: what is started in a test is killed behind it. To be called before what the commands talk to is set up, so
 * that none of them waits for an answer when that ends.
 */
export function inletProcesses(): StartInlet {
  const started = new Set<ChildProcess>()
  afterEach(() => {
    for (const child of started) child.kill('SIGKILL')
    started.clear()
  })
  return (args, environment, nodeOptions = []) => {
    const env = { PATH: process.env['PATH'], ...environment }
    const argv = [...nodeOptions, path.join(projectRoot, 'shared/cli/inlet.ts'), ...args]
    const child = spawn(process.execPath, argv, { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] })
    started.add(child)
    return child
  }
}

export async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let [printed, said] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { end: signal ?? (code === 0 ? 'ok' : `${code}: ${said}`), printed }
}

export async function endOf(child: ChildProcess): Promise<string> {
  return (await outcomeOf(child)).end
}
