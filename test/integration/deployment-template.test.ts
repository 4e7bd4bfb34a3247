import { readFileSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { checkov } from '#test/helpers/checkov.ts'
import { InfrastructureLinters } from '#test/helpers/infrastructure-linters.ts'
import { ServerlessProject } from '#test/helpers/serverless-project.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { VENV_TIMEOUT_MS } from '#test/helpers/venv.ts'
import declaration from '../../infra/sagemaker/flight_delay/declaration.json' with { type: 'json' }
import { CREATE_ONLY } from '../../infra/cluster-lock.ts'
import type { Template } from '../../infra/template.ts'

/** CloudFormation's limits of a template that is passed by its URL ("CloudFormation quotas"), and IAM's of a role. */
const RESOURCES = 500
const BYTES = 1_000_000
const POLICY_CHARACTERS = 10_240
const ALARM_DESCRIPTION = 1024

/** Packaging bundles all functions: seconds on a machine of its own. */
const PATIENCE_MS = 600_000

const directory = temporaryDirectory()
let linters: InfrastructureLinters

beforeAll(async () => {
  linters = await InfrastructureLinters.open()
}, VENV_TIMEOUT_MS)

function packaged(project: ServerlessProject, ...args: string[]): { file: string; template: Template } {
  const { status, said, template: file } = project.package(...args)
  expect({ status, said: status === 0 ? '' : said }).toEqual({ status: 0, said: '' })
  return { file, template: JSON.parse(readFileSync(file, 'utf8')) as Template }
}

async function expectDeployable({ file, template }: ReturnType<typeof packaged>): Promise<void> {
  expect(linters.template(file)).toBe('')
  expect(await checkov(file)).toBe('')
  expectKeptFunctions(template)
  const resources = Object.values(template.Resources)
  expect(resources.length).toBeLessThan(RESOURCES)
  expect(statSync(file).size).toBeLessThan(BYTES)
  const policies = ofType(template, 'AWS::IAM::Role').map(({ Properties }) => JSON.stringify(Properties?.['Policies']))
  expect(Math.max(...policies.map((policy) => policy.length))).toBeLessThan(POLICY_CHARACTERS)
  for (const { Properties } of ofType(template, 'AWS::CloudWatch::Alarm')) {
    const description = String(Properties?.['AlarmDescription'])
    expect(description.length).toBeLessThan(ALARM_DESCRIPTION)
    // It says what to do.
    expect(description).toMatch(/inlet |[Ll]ook |[Mm]end |[Ss]ee |purge|producers/)
  }
}

/** What every function has: a role of its own, traces, logs that end, and a trigger or a place that hears of its failures. */
function expectKeptFunctions(template: Template): void {
  const functions = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
  const roles = functions.map(([, { Properties }]) => JSON.stringify(Properties?.['Role']))
  expect(new Set(roles).size).toBe(functions.length)
  const wired = ['AWS::Lambda::EventSourceMapping', 'AWS::Lambda::EventInvokeConfig']
    .flatMap((type) => ofType(template, type))
    .map(({ Properties = {} }) => (Properties['FunctionName'] as { readonly Ref: string }).Ref)
  expect(wired.sort()).toEqual(functions.map(([id]) => id).sort())
  for (const [, { Properties }] of functions) expect(Properties?.['TracingConfig']).toEqual({ Mode: 'Active' })
  const logs = ofType(template, 'AWS::Logs::LogGroup').map(({ Properties }) => Properties?.['RetentionInDays'])
  expect(logs).toEqual(functions.map(() => 30))
}

const ofType = ({ Resources }: Template, type: string) => Object.values(Resources).filter(({ Type }) => Type === type)

test(
  'what a stranger deploys: a cluster of its own, on-demand triggers, nothing said',
  async () => {
    const result = packaged(new ServerlessProject(directory()), '--stage', 'dev')
    await expectDeployable(result)
    const { template } = result
    expect(ofType(template, 'AWS::MSK::ServerlessCluster')).toHaveLength(1)
    expect(ofType(template, 'AWS::Lambda::EventSourceMapping')).toHaveLength(1)
    // What costs and was not asked for.
    expect(ofType(template, 'AWS::SageMaker::Endpoint')).toEqual([])
    expect(template.Resources['KafkaCluster']).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    })
    const names = JSON.stringify(template.Resources['FlightsLambdaFunction'])
    expect(names).toContain('"POWERTOOLS_METRICS_NAMESPACE":"Inlet/inlet-dev"')
    const { Properties: failing } = template.Resources['FlightsFailingAlarm'] ?? {}
    expect(JSON.stringify(failing)).toContain(
      '"Namespace":"Inlet/inlet-dev","MetricName":"failed","Dimensions":[{"Name":"service","Value":"flights"}]',
    )
    expect(template.Resources['LakeBucket']?.Properties).toMatchObject({
      LifecycleConfiguration: {
        Rules: expect.arrayContaining([expect.objectContaining({ Id: 'markers' })]) as unknown,
      },
    })
  },
  PATIENCE_MS,
)

test(
  'jobs of each service: one function that starts them, and rules that call it when a run has ended',
  async () => {
    const project = new ServerlessProject(directory())
    const emrServerless = `{ application: '00f', role: 'arn:aws:iam::123456789012:role/jobs', script: 's3://b/sum.py' }`
    const jobs = `{
      compact: { glue: 'compact-table', when: { partitionComplete: '10 minutes' } },
      sum: { emrServerless: ${emrServerless}, when: { rows: 1000 } },
      train: { emrStep: { cluster: 'j-1A', script: 's3://b/train.py' }, when: { every: '1 day' } },
    }`
    project.addPipeline('departures', `jobs: ${jobs}, trigger: { failureDestination: 's3://given-up' },`)
    const result = packaged(project, '--stage', 'dev')
    await expectDeployable(result)
    const { template } = result
    // One for each service, and those of the schedules of the committer and of the jobs.
    expect(ofType(template, 'AWS::Events::Rule')).toHaveLength(5)
    expect(template.Resources).toHaveProperty('JobsLambdaFunction')
  },
  PATIENCE_MS,
)

test(
  'a cluster that is there already: no network, no cluster, and its topics are made where it is reached',
  async () => {
    const arn = 'arn:aws:kafka:us-east-1:123456789012:cluster/events/0123abcd-0123-0123-0123-0123456789ab-1'
    const params = [
      `clusterArn=${arn}`,
      'clusterSubnets=subnet-0123abcd,subnet-0123abce',
      'clusterSecurityGroups=sg-0123abcd',
    ]
    const project = new ServerlessProject(directory())
    const options = ['alarmEmail=someone@example.com', ...params].map((param) => `--param=${param}`)
    const result = packaged(project, '--stage', 'prod', ...options)
    await expectDeployable(result)
    const { template } = result
    expect(ofType(template, 'AWS::EC2::VPC').concat(ofType(template, 'AWS::MSK::ServerlessCluster'))).toEqual([])
    expect(template.Resources['FlightsTrigger']?.Properties).toMatchObject({ EventSourceArn: arn })
    expect(template.Resources['TopicsLambdaFunction']?.Properties).toMatchObject({
      VpcConfig: { SubnetIds: ['subnet-0123abcd', 'subnet-0123abce'], SecurityGroupIds: ['sg-0123abcd'] },
    })
    expect(template.Resources['CommitterLambdaFunction']?.Properties).toMatchObject({ ReservedConcurrentExecutions: 2 })
  },
  PATIENCE_MS,
)

test(
  'twenty pipelines, on demand and provisioned, in one stack',
  async () => {
    const project = new ServerlessProject(directory())
    const provisioned =
      "trigger: { mode: 'provisioned', bisectBatchOnError: true, maximumRetryAttempts: 3, failureDestination: 's3://given-up' },"
    const registry = "schemaRegistry: { uri: 'arn:aws:glue:us-east-1:123456789012:registry/gates' }"
    const decoded = provisioned.replace('bisect', `${registry}, bisect`)
    const topic = provisioned.replace('s3://given-up', 'kafka://gates-failed')
    const triggers = new Map([['departures-of-gate-1', decoded]]).set('departures-of-gate-3', topic)
    for (let n = 1; n < 20; n++) {
      const name = `departures-of-gate-${n}`
      project.addPipeline(name, triggers.get(name) ?? (n % 2 === 0 ? '' : provisioned))
    }
    const result = packaged(project, '--param=allow=failure-destination:departures-of-gate-3')
    await expectDeployable(result)
    expect(ofType(result.template, 'AWS::Lambda::EventSourceMapping')).toHaveLength(20)
    // Those that work for all pipelines have been given them.
    const committer = await readFile(path.join(project.root, 'functions/committer/handler.ts'), 'utf8')
    expect(committer.match(/^import \{ flights as departuresOfGate\d+ \}/gm)).toHaveLength(19)
  },
  PATIENCE_MS,
)

test.each([
  ['serverless', [], { ServerlessConfig: expect.any(Object) as unknown }],
  ['on an instance', ['modelInstance=ml.c6i.large'], { InstanceType: 'ml.c6i.large', InitialInstanceCount: 1 }],
])(
  'the endpoint of a model, %s, where a stage names its image',
  async (_, more, variant) => {
    const image = '123456789012.dkr.ecr.us-east-1.amazonaws.com/flight-delay:1'
    const params = [`modelImage=${image}`, 'modelKey=models/flight-delay/model.tar.gz', ...more]
    const result = packaged(new ServerlessProject(directory()), ...params.map((param) => `--param=${param}`))
    await expectDeployable(result)
    const { Resources } = result.template
    expect(Resources['ModelEndpoint']?.Properties).toMatchObject({ EndpointName: declaration.endpoint })
    expect(Resources['ModelEndpointConfig']?.Properties).toMatchObject({
      ProductionVariants: [expect.objectContaining(variant)],
    })
    expect(Resources['Model']?.Properties).toMatchObject({ EnableNetworkIsolation: more.length > 0 })
    expect(JSON.stringify(Resources['Model'])).toContain(image)
    const rights = JSON.stringify(Resources['ModelRole'])
    expect(rights).toContain('${LakeBucket.Arn}/models/flight-delay/model.tar.gz')
    expect(rights).toContain(':ecr:us-east-1:123456789012:repository/flight-delay"')
  },
  PATIENCE_MS,
)

test(
  'the gates bite',
  async () => {
    const { file, template } = packaged(new ServerlessProject(directory()))
    const trigger = template.Resources['FlightsTrigger']
    const bucket = template.Resources['LakeBucket']
    const broken = {
      ...template.Resources,
      FlightsTrigger: { ...trigger, Properties: { ...trigger?.Properties, BatchSize: 20_000 } },
      LakeBucket: { ...bucket, Properties: { ...bucket?.Properties, PublicAccessBlockConfiguration: undefined } },
    }
    await writeFile(file, JSON.stringify({ ...template, Resources: broken }))
    expect(linters.template(file)).toMatch(/E3034 20000/)
    expect(await checkov(file)).toMatch(/CKV_AWS_53[^]*LakeBucket/)
  },
  PATIENCE_MS,
)

test(
  'a change that would replace the cluster is refused, unless it is asked for by name',
  async () => {
    const project = new ServerlessProject(directory())
    project.edit('infra/network.yml', '10.80.1.0/24', '10.80.3.0/24')
    const refused = project.package()
    expect(refused.status).not.toBe(0)
    expect(refused.said).toMatch(/KafkaCluster \(replaced-cluster\): SubnetB.CidrBlock would change/)
    packaged(project, '--param=allow=replaced-cluster:KafkaCluster')
    const lock = await readFile(path.join(project.root, 'infra/cluster.lock.json'), 'utf8')
    expect(lock).toContain('10.80.3.0/24')
    packaged(project)
  },
  PATIENCE_MS,
)

test(
  'params that mean nothing are refused',
  () => {
    const project = new ServerlessProject(directory())
    const { status, said } = project.package(
      '--param=clusterArn=arn:aws:s3:::events',
      '--param=clusterSubnets=subnet-0a',
    )
    expect(status).not.toBe(0)
    expect(said).toMatch(/clusterArn: expected the ARN of an MSK cluster, or nothing/)
  },
  PATIENCE_MS,
)

test(
  "what cannot be changed in place is what CloudFormation's schemas say",
  () => {
    for (const [type, properties] of Object.entries(CREATE_ONLY))
      expect([type, [...properties].sort()]).toEqual([type, linters.createOnly(type)])
  },
  PATIENCE_MS,
)
