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
  Workers: '2',
}

test('the jobs change tables of the lake, and neither its log nor dead letters', () => {
  const policy = resourceProperties(linters.readTemplate(TEMPLATE), 'LakeRights', PARAMETERS) as {
    readonly PolicyDocument: {
      readonly Statement: readonly {
        readonly Effect: string
        readonly Action: string | readonly string[]
        readonly Resource: string | readonly string[]
      }[]
    }
  }
  const statements = policy.PolicyDocument.Statement
  const touching = (action: string, effect: string): unknown[] =>
    statements
      .filter((each) => each.Effect === effect && [each.Action].flat().includes(action))
      .map((each) => each.Resource)
  expect(touching('s3:DeleteObject', 'Allow')).toEqual(['arn:aws:s3:::lake/tables/*'])
  expect(touching('s3:PutObject', 'Allow')).toEqual(['arn:aws:s3:::lake/tables/*'])
  expect(touching('s3:DeleteObject', 'Deny')).toEqual(['arn:aws:s3:::lake/tables/*_dead_letters/*'])
  expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([])
})

test.each(['Compact', 'Expire', 'Aggregate'])(
  'the Glue job %s runs its script with Iceberg, and is not retried by Glue',
  (job) => {
    const name = job.toLowerCase()
    expect(resourceProperties(linters.readTemplate(TEMPLATE), `${job}Job`, PARAMETERS)).toMatchObject({
      Name: `dev-inlet-${name}`,
      Command: { ScriptLocation: `s3://scripts/inlet/${name}.py` },
      GlueVersion: '5.1',
      MaxRetries: 0,
      DefaultArguments: { '--datalake-formats': 'iceberg', '--extra-py-files': 's3://scripts/inlet/lake_job.py' },
    })
  },
)
