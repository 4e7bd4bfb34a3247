/** What ministack has not: types that it does not know, and alarms of arithmetic. */
const UNKNOWN = new Set(['AWS::EC2::SecurityGroupIngress', 'AWS::MSK::ServerlessCluster'])
const ALARM = 'AWS::CloudWatch::Alarm'
const FUNCTION = 'emulator'

interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>> & {
    readonly Environment?: { readonly Variables: Record<string, unknown> }
  }
}

/** The parts of the Serverless Framework that are used. */
interface Serverless {
  readonly service: {
    readonly functions: object[]
    readonly provider: { readonly compiledCloudFormationTemplate: { readonly Resources: Record<string, Resource> } }
  }
}

/**
 * Makes a stack one that ministack can deploy: each resource of a kind that it has not becomes a custom resource of a function of
 * the stack, `handler.ts` beside this file. `Ref` of it is its logical id, `Fn::GetAtt` what that function answers.
 */
export default class EmulatorPlugin {
  readonly hooks = {
    // Behind the checks, which are to see the template that AWS would.
    'after:aws:package:finalize:mergeCustomProviderResources': (): void => this.rewrite(),
  }
  readonly #serverless: Serverless

  constructor(serverless: Serverless) {
    this.#serverless = serverless
    serverless.service.functions.push({
      [FUNCTION]: { handler: 'test/deploy/emulator/handler.handler', description: 'stands for what is not emulated' },
    })
  }

  rewrite(): void {
    const { Resources } = this.#serverless.service.provider.compiledCloudFormationTemplate
    for (const [id, resource] of Object.entries(Resources)) {
      const known = withoutRangeOf(Resources, resource)
      Resources[id] = isUnknown(known) ? { ...known, ...standIn(id, known) } : known
    }
    // A broker of Apache Kafka's knows nothing of IAM.
    delete Resources['TopicsLambdaFunction']?.Properties.Environment?.Variables['KAFKA_SASL']
  }
}

/** The attribute CidrBlock of a network, which ministack does not know, is its property. */
function withoutRangeOf(resources: Readonly<Record<string, Resource>>, resource: Resource): Resource {
  const text = JSON.stringify(resource, (_, value: unknown) => {
    const [network = '', attribute] = (value as { 'Fn::GetAtt'?: readonly string[] } | null)?.['Fn::GetAtt'] ?? []
    return attribute === 'CidrBlock' ? resources[network]?.Properties[attribute] : value
  })
  return JSON.parse(text) as Resource
}

function isUnknown({ Type, Properties }: Resource): boolean {
  return UNKNOWN.has(Type) || (Type === ALARM && 'Metrics' in Properties)
}

function standIn(id: string, { Type, Properties }: Resource): Resource {
  const ServiceToken = { 'Fn::GetAtt': ['EmulatorLambdaFunction', 'Arn'] }
  return { Type: 'Custom::Emulated', Properties: { ServiceToken, Emulated: Type, Name: id, Of: Properties } }
}
