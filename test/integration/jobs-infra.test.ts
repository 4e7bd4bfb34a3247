import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { resourceProperties } from '#test/helpers/cloudformation.ts'
import { checkov } from '#test/helpers/checkov.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { InfrastructureLinters } from '#test/helpers/infrastructure-linters.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'

const TEMPLATE = path.join(projectRoot, 'infra/jobs/template.yml')

let linters: InfrastructureLinters
beforeAll(async () => {
  linters = await InfrastructureLinters.open()
}, VENV_TIMEOUT_MS)

test(
  'cfn-lint and checkov have nothing against the template',
  async () => {
    expect(linters.template(TEMPLATE)).toBe('')
    expect(await checkov(TEMPLATE)).toBe('')
  },
  VENV_TIMEOUT_MS,
)

const PARAMETERS = {
  Platform: 'both',
  Prefix: 'dev-inlet',
  LakeBucket: 'lake',
  LakeKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/k',
  Database: 'inlet_dev',
  Scripts: 'scripts/inlet',
  Models: 'models',
  Workers: '2',
}

interface Policy {
  readonly PolicyDocument: {
    readonly Statement: readonly {
      readonly Effect: string
      readonly Action: string | readonly string[]
      readonly Resource: string | readonly string[]
    }[]
  }
}

/** Of the statements with an effect, what an action may be done to. */
function touched({ PolicyDocument }: Policy, action: string, effect: string): unknown[] {
  return PolicyDocument.Statement.filter(
    (each) => each.Effect === effect && [each.Action].flat().includes(action),
  ).flatMap((each) => each.Resource)
}

const actions = ({ PolicyDocument }: Policy): string[] => PolicyDocument.Statement.flatMap(({ Action }) => Action)

test('the jobs change tables of the lake, and neither its log nor dead letters', () => {
  const policy = resourceProperties(linters.readTemplate(TEMPLATE), 'LakeRights', PARAMETERS) as unknown as Policy
  expect(touched(policy, 's3:DeleteObject', 'Allow')).toEqual(['arn:aws:s3:::lake/tables/*'])
  expect(touched(policy, 's3:PutObject', 'Allow')).toEqual(['arn:aws:s3:::lake/tables/*'])
  expect(touched(policy, 's3:DeleteObject', 'Deny')).toEqual(['arn:aws:s3:::lake/tables/*_dead_letters/*'])
  expect(actions(policy).filter((action) => action.includes('*'))).toEqual([])
})

test('a training reads tables, and puts models; it can delete nothing and change no table', () => {
  const role = resourceProperties(linters.readTemplate(TEMPLATE), 'TrainRole', PARAMETERS) as unknown as {
    readonly Policies: readonly [Policy]
    readonly ManagedPolicyArns?: unknown
  }
  expect(role.ManagedPolicyArns).toBeUndefined()
  const [policy] = role.Policies
  expect(touched(policy, 's3:PutObject', 'Allow')).toEqual(['arn:aws:s3:::lake/models/*'])
  expect(touched(policy, 's3:GetObject', 'Allow')).toEqual([
    'arn:aws:s3:::scripts/inlet/*',
    'arn:aws:s3:::lake/tables/*',
  ])
  const others = actions(policy).filter((action) => !/^(s3:(Get|Put)Object|kms:|logs:|glue:GetTable$)/.test(action))
  expect(others).toEqual([])
})

test('the Glue job Train installs the very packages that the model is trained with elsewhere', async () => {
  const requirements = await readFile(path.join(projectRoot, 'infra/sagemaker/requirements.txt'), 'utf8')
  const pins = requirements.split('\n').filter((line) => line.includes('==') && !line.startsWith('waitress'))
  expect(resourceProperties(linters.readTemplate(TEMPLATE), 'TrainJob', PARAMETERS)).toMatchObject({
    DefaultArguments: {
      '--additional-python-modules': pins.join(','),
      '--extra-py-files': 's3://scripts/inlet/lake_job.py,s3://scripts/inlet/flight_delay.zip',
    },
  })
})

test.each(['Compact', 'Expire', 'Aggregate', 'Train'])(
  'the Glue job %s runs its script with Iceberg, and is not retried by Glue',
  (job) => {
    const name = job.toLowerCase()
    expect(resourceProperties(linters.readTemplate(TEMPLATE), `${job}Job`, PARAMETERS)).toMatchObject({
      Name: `dev-inlet-${name}`,
      Command: { ScriptLocation: `s3://scripts/inlet/${name}.py` },
      GlueVersion: '5.1',
      MaxRetries: 0,
      DefaultArguments: {
        '--datalake-formats': 'iceberg',
        '--extra-py-files': expect.stringContaining('s3://scripts/inlet/lake_job.py') as unknown,
      },
    })
  },
)
