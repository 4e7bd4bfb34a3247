import { randomUUID } from 'node:crypto'
import { parseMskEvent } from '#shared/sources/msk-event.ts'
import { failureObject } from '#shared/trigger/failure-destination.ts'

/** The object that Lambda writes when it gives up an event that a function could not land; the event may be malformed. */
export function failedBatch(event: unknown, functionName = 'inlet-dev-sensors'): { key: string; body: string } {
  const object = failureObject(
    { condition: 'RetryAttemptsExhausted', partitions: partitionsOf(event), invocations: 3, at: 1_767_600_000_000 },
    {
      source: { eventSource: 'aws:kafka', arn: '', bootstrapServers: 'b' },
      functionArn: `arn:aws:lambda:us-east-1:123456789012:function:${functionName}:$LATEST`,
      mappingId: randomUUID(),
      requestId: randomUUID(),
      objectId: randomUUID(),
    },
  )
  return { key: object.key, body: JSON.stringify({ ...JSON.parse(object.body), payload: JSON.stringify(event) }) }
}

function partitionsOf(event: unknown) {
  try {
    return parseMskEvent(event).partitions
  } catch {
    return []
  }
}
