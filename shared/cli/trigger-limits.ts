/** What Lambda's trigger for MSK and MSK Serverless allow (AWS Lambda and Amazon MSK developer guides, "Quotas"). */

export { BATCH_RECORDS, PAYLOAD_BYTES, WINDOW_SECONDS } from '#shared/pipeline/trigger.ts'

/** About how many bytes of records fit into a payload: base64 makes four of three, and each record has its frame. */
export const RAW_BYTES = 4_400_000
/** For a function that a Kafka trigger invokes. */
export const TIMEOUT_MINUTES = 14

/** Of a topic on MSK Serverless: `max.message.bytes`, and what it may be raised to. */
export const MESSAGE_BYTES = { usual: 2 ** 20, most: 8 * 2 ** 20 } as const
/** MB a second that MSK Serverless takes and gives, for a cluster and for a partition of it. */
export const CLUSTER_RATES = { in: 200, out: 400 } as const
export const PARTITION_RATES = { in: 5, out: 10 } as const
