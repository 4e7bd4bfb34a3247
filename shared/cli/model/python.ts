import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '#shared/cli/failure.ts'
import { MODEL_SOURCES } from './declaration.ts'

const OLDEST_PYTHON = [3, 11] as const
const REMEDY =
  'Python 3.11 or newer with its module venv is needed: install it (Debian: apt install python3-venv, macOS: brew install python) ' +
  'and put it on the PATH as python3'
/** Of the project, and out of git. */
const CACHE = path.join(import.meta.dirname, '../../../.cache')

/** Training or serving a model does not come to its end, for a reason that its message says. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
}

/**
 * The Python of a virtual environment with what models need. It is made where it is not there, with packages of the Python package
 * index, once: other requirements are another environment.
 * @param say told before something takes long
 * @throws UsageError when Python is missing or too old, ModelError with what pip says when it fails
 */
export async function modelPython(say: (text: string) => void): Promise<string> {
  const file = path.join(MODEL_SOURCES, 'requirements.txt')
  const requirements = await readFile(file, 'utf8')
  const digest = createHash('sha256').update(requirements).digest('hex').slice(0, 8)
  const venv = path.join(CACHE, 'venv', `model-${digest}`)
  if (!existsSync(venv)) {
    await requirePython()
    say(`making a Python environment with scikit-learn in ${path.relative('.', venv)}: 310 MB, once`)
    await makeVenv(venv, file)
  }
  return path.join(venv, 'bin/python')
}

async function requirePython(): Promise<void> {
  const { stdout, stderr } = await promisify(execFile)('python3', ['--version']).catch((error: unknown) => {
    throw new UsageError(`the command python3 is not there; ${REMEDY}`, { cause: error })
  })
  if (isNewEnough(stdout + stderr)) return
  throw new UsageError(`the command python3 is ${(stdout + stderr).trim()}; ${REMEDY}`)
}

/** @param said as `python3 --version` has it: `Python 3.11.7` */
export function isNewEnough(said: string): boolean {
  const { major = 0, minor = 0 } = /Python (?<major>\d+)\.(?<minor>\d+)/.exec(said)?.groups ?? {}
  const [oldest, least] = OLDEST_PYTHON
  return Number(major) > oldest || (Number(major) === oldest && Number(minor) >= least)
}

/** Makes it under another name first: it is there whole or not at all, whoever else makes it. */
async function makeVenv(venv: string, requirements: string): Promise<void> {
  await mkdir(path.dirname(venv), { recursive: true })
  const making = await mkdtemp(`${venv}.making-`)
  try {
    await toItsEnd('python3', ['-m', 'venv', making])
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]
    await toItsEnd(path.join(making, 'bin/python'), pip)
    await rename(making, venv).catch((error: unknown) => {
      // Somebody else was faster.
      if (!existsSync(venv)) throw error
    })
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}

async function toItsEnd(command: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(command, args)
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const said = `${stderr}${stdout}`.trim().split('\n').slice(-3).join('\n')
    throw new ModelError(`${path.basename(command)} ${args.slice(0, 3).join(' ')} failed: ${said || String(error)}`, {
      cause: error,
    })
  }
}
