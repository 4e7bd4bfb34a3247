import { spawn } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

export const projectRoot = path.join(import.meta.dirname, '../..')

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script of the project with Node, as npm's scripts do, and waits for its end. */
function runScript(script: string, args: readonly string[], input?: string, environment = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    // Hundreds of processes load the same modules: their types are stripped once.
    const compiled = path.join(projectRoot, '.cache/compiled')
    const env = { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: compiled, ...environment }
    const child = spawn(process.execPath, [path.join(projectRoot, script), ...args], { cwd: projectRoot, env })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    child.stdin.end(input ?? '')
  })
}

export const inlet = (
  args: readonly string[],
  input?: string,
  environment?: Readonly<Record<string, string>>,
): Promise<Result> => runScript('shared/cli/inlet.ts', args, input, environment)
