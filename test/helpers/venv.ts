import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { projectRoot } from './command.ts'

/** Long enough to make a virtual environment of large packages. */
export const VENV_TIMEOUT_MS = 300_000

/**
 * The Python of a virtual environment that has these packages, each with its version (`pyarrow==26.0.1`). It is made where
 * there is none, below .cache/venv under this name: a new version is a new name.
 * @throws Error naming what is missing on the machine
 */
export async function venvPython(name: string, packages: readonly string[]): Promise<string> {
  const venv = path.join(projectRoot, '.cache/venv', name)
  if (!existsSync(venv)) await makeVenv(venv, packages)
  return path.join(venv, 'bin/python')
}

/** Makes it under another name first: it is there whole or not at all, whoever else makes it. */
async function makeVenv(venv: string, packages: readonly string[]): Promise<void> {
  await mkdir(path.dirname(venv), { recursive: true })
  const making = await mkdtemp(`${venv}.making-`)
  try {
    await run('python3', ['-m', 'venv', making], 'python3 (3.10 or newer) with its module venv')
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]
    await run(path.join(making, 'bin/python'), pip, `${packages.join(', ')} from the Python package index`)
    await rename(making, venv).catch((error: unknown) => {
      // Another test file was faster.
      if (!existsSync(venv)) throw error
    })
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}

/** Runs a command to its end. @param need what is missing when it fails. @throws Error that says so, and what it said */
export async function run(command: string, args: readonly string[], need: string): Promise<void> {
  try {
    await promisify(execFile)(command, args)
  } catch (error) {
    // Its message holds what the command wrote to its error output.
    throw new Error(`The integration tests need ${need}: ${String(error)}`, { cause: error })
  }
}
