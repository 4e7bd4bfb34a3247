import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '#shared/cli/failure.ts'
import { pythonEnvironment } from '#shared/cli/python-environment.ts'
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
 * The Python of a virtual environment with what models need. It is made where it is not there, once: other requirements are
 * another environment.
 * @param say told before something takes long
 * @throws UsageError when Python is missing or too old, InstallationError when the packages cannot be had
 */
export async function modelPython(say: (text: string) => void): Promise<string> {
  const requirements = await readFile(path.join(MODEL_SOURCES, 'requirements.txt'), 'utf8')
  const packages = requirements.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const name = `model-${createHash('sha256').update(requirements).digest('hex').slice(0, 8)}`
  if (!existsSync(path.join(CACHE, 'venv', name))) {
    await requirePython()
    say(`making a Python environment with scikit-learn in ${path.relative('.', CACHE)}: 310 MB, once`)
  }
  return pythonEnvironment(CACHE, name, packages)
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
