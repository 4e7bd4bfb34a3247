import { EMRClient, type EMRClientConfig } from '@aws-sdk/client-emr'
import { EMRServerlessClient, type EMRServerlessClientConfig } from '@aws-sdk/client-emr-serverless'
import { GlueClient, type GlueClientConfig } from '@aws-sdk/client-glue'

/**
 * A client that sends a request again when it has lost the answer would start two runs: these never do, and cannot hang. What has
 * failed is looked at again in the next round.
 */
const ONCE = {
  maxAttempts: 1,
  requestHandler: {
    connectionTimeout: 3000,
    requestTimeout: 10_000,
    throwOnRequestTimeout: true,
    socketTimeout: 5000,
  },
}

/** By default with region, endpoint and credentials from the environment; so are the others. */
export function createGlueJobsClient(config: GlueClientConfig = {}): GlueClient {
  return new GlueClient({ ...ONCE, ...config })
}

export function createEmrServerlessClient(config: EMRServerlessClientConfig = {}): EMRServerlessClient {
  return new EMRServerlessClient({ ...ONCE, ...config })
}

export function createEmrClient(config: EMRClientConfig = {}): EMRClient {
  return new EMRClient({ ...ONCE, ...config })
}
