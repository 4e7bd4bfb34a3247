import path from 'node:path'
import { pythonEnvironment } from '#shared/cli/python-environment.ts'
import { projectRoot } from './command.ts'

/** Long enough to make a virtual environment of large packages. */
export const VENV_TIMEOUT_MS = 300_000

/** The Python of a virtual environment below .cache: see `pythonEnvironment`. */
export function venvPython(name: string, packages: readonly string[]): Promise<string> {
  return pythonEnvironment(path.join(projectRoot, '.cache'), name, packages)
}
