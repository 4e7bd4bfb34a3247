import type { GetBootstrapBrokersCommand, GetBootstrapBrokersCommandInput } from '@aws-sdk/client-kafka'
import { brokersResource } from '#shared/runtimes/brokers.ts'

const ClusterArn = 'arn:aws:kafka:us-east-1:123456789012:cluster/events/0123-ab-s1'

/** MSK, with what it answers for any cluster. */
function brokersOf(answer: object): { ask: Promise<unknown>; asked: GetBootstrapBrokersCommandInput[] } {
  const asked: GetBootstrapBrokersCommandInput[] = []
  const send = (command: GetBootstrapBrokersCommand): Promise<object> => {
    asked.push(command.input)
    return Promise.resolve(answer)
  }
  const resource = brokersResource(() => ({ send }))
  const ask = resource.apply(resource.properties.parse({ ClusterArn }), new AbortController().signal)
  return { ask, asked }
}

test('brokers that speak IAM are told, whatever others there are', async () => {
  const { ask, asked } = brokersOf({
    BootstrapBrokerStringTls: 'b-1:9094',
    BootstrapBrokerStringSaslIam: 'b-1:9098,b-2:9098',
  })
  expect(await ask).toEqual({ Brokers: 'b-1:9098,b-2:9098' })
  expect(asked).toEqual([{ ClusterArn }])
})

test('a cluster without IAM is refused, with what to do', async () => {
  await expect(brokersOf({ BootstrapBrokerStringTls: 'b-1:9094' }).ask).rejects.toThrow(
    `${ClusterArn} has no brokers for IAM: switch IAM access control on`,
  )
})
