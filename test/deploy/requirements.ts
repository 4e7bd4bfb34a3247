/** Says in one line what this machine lacks for `npm run test:deploy`, before anything is started. */
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { requireJava } from '#shared/cli/broker/java.ts'

const PYTHON = 'import sys, venv; sys.exit(sys.version_info < (3, 10))'

const works = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0

const missing = await requireJava().then(
  () => [] as string[],
  (error: unknown) => [(error as Error).message],
)
if (!works('python3', '-c', PYTHON)) missing.push('python3 is to be 3.10 or newer, with its module venv')
if (!works('openssl', 'version')) missing.push('openssl is not there')
if (missing.length > 0) {
  process.stderr.write(`npm run test:deploy cannot run on this machine: ${missing.join('; ')}.\n`)
  process.exitCode = 1
}
