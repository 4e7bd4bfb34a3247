import { GetBootstrapBrokersCommand, KafkaClient } from '@aws-sdk/client-kafka'
import * as z from 'zod'
import { type CustomResource, customResourceHandler, type CustomResourceHandler } from './custom-resource.ts'

/** Of a Custom::KafkaBrokers: see infra/custom-resources-template.ts, which writes them. */
const Properties = z.object({ ClusterArn: z.string().min(1) })
type Properties = z.output<typeof Properties>

/** The part of MSK's API that is asked. */
export type ClusterApi = Pick<KafkaClient, 'send'>

/**
 * The function behind Custom::KafkaBrokers, which tells where a cluster is reached: CloudFormation does not know. It is apart from
 * the function that makes topics, which is in the cluster's network and would need an endpoint to ask MSK.
 */
export function brokersHandler(): CustomResourceHandler {
  return customResourceHandler(brokersResource(() => new KafkaClient({})))
}

/** @param open called for each request */
export function brokersResource(open: () => ClusterApi): CustomResource<Properties> {
  return {
    properties: Properties,
    idOf: ({ ClusterArn }) => `kafka-brokers:${ClusterArn}`,
    apply: async ({ ClusterArn }, abortSignal) => {
      const answer = await open().send(new GetBootstrapBrokersCommand({ ClusterArn }), { abortSignal })
      const { BootstrapBrokerStringSaslIam: Brokers = '' } = answer
      if (Brokers === '')
        throw new Error(`the cluster ${ClusterArn} has no brokers for IAM: switch IAM access control on, on port 9098`)
      return { Brokers }
    },
  }
}
