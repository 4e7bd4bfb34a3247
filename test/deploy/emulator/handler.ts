import { CreateClusterV2Command, KafkaClient } from '@aws-sdk/client-kafka'
import * as z from 'zod'
import { type CustomResource, customResourceHandler } from '#shared/runtimes/custom-resource.ts'

/** Of the resources that the plugin beside this file has rewritten: their type, and the properties that they had. */
const Properties = z.object({
  Emulated: z.string(),
  Name: z.string(),
  Of: z.record(z.string(), z.unknown()),
})
type Properties = z.output<typeof Properties>

const Cluster = z.object({
  ClusterName: z.string(),
  VpcConfigs: z.array(z.object({ SubnetIds: z.array(z.string()), SecurityGroups: z.array(z.string()) })),
})

/** Makes what has an emulator of its own; the others are only names. */
const emulated: CustomResource<Properties> = {
  properties: Properties,
  idOf: ({ Name }) => Name,
  apply: async ({ Emulated: type, Of: properties }) =>
    type === 'AWS::MSK::ServerlessCluster' ? { Arn: await clusterArn(Cluster.parse(properties)) } : {},
}

/** Makes a cluster. It is never changed: packaging refuses what would. */
async function clusterArn({ ClusterName, VpcConfigs }: z.output<typeof Cluster>): Promise<string> {
  const vpcs = VpcConfigs.map(({ SubnetIds, SecurityGroups: SecurityGroupIds }) => ({ SubnetIds, SecurityGroupIds }))
  const Serverless = { VpcConfigs: vpcs, ClientAuthentication: { Sasl: { Iam: { Enabled: true } } } }
  const { ClusterArn } = await new KafkaClient({}).send(new CreateClusterV2Command({ ClusterName, Serverless }))
  if (ClusterArn === undefined) throw new Error('the cluster was made without an ARN')
  return ClusterArn
}

export const handler = customResourceHandler(emulated)
