import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

/** Something that has to be on the machine is not, or could not be fetched. */
class InstallationError extends Error {
  override readonly name = 'InstallationError'

  /** @param what is needed @param cause what the command said that looked for it */
  constructor(what: string, cause: unknown) {
    const said = cause instanceof Error ? cause.message.trim().slice(-1500) : String(cause)
    super(`this needs ${what}, which is not there: ${said}`, { cause })
  }
}

/**
 * The Python of a virtual environment that has these packages, each with its version (`pyspark==3.5.6`). It is made where there is
 * none, below `<folder>/venv` under this name: a new version is a new name.
 * @throws InstallationError naming what is missing on the machine
 */
export async function pythonEnvironment(folder: string, name: string, packages: readonly string[]): Promise<string> {
  const venv = path.join(folder, 'venv', name)
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
      // Another process was faster.
      if (!existsSync(venv)) throw error
    })
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}

/** Runs a command to its end. @param need what is missing when it fails. @throws InstallationError */
export async function run(command: string, args: readonly string[], need: string): Promise<void> {
  try {
    await promisify(execFile)(command, args)
  } catch (error) {
    throw new InstallationError(need, error)
  }
}
