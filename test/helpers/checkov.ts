import { spawnSync } from 'node:child_process'
import { venvPython } from './venv.ts'

const CHECKOV = '3.3.30'

/**
 * What checkov has against a CloudFormation template: '' is nothing. It is fetched first where it is not there, and asks no
 * network.
 */
export async function checkov(template: string): Promise<string> {
  const python = await venvPython(`checkov-${CHECKOV}`, [`checkov==${CHECKOV}`])
  const options = ['--framework', 'cloudformation', '--compact', '--quiet', '--skip-download']
  const { status, stdout, stderr, error } = spawnSync(python, ['-m', 'checkov.main', '-f', template, ...options], {
    encoding: 'utf8',
  })
  if (error !== undefined) throw error
  return status === 0 ? '' : `${stdout}${stderr}`
}
