import { GlueClient, type GlueClientConfig } from '@aws-sdk/client-glue'
import { S3TablesClient, type S3TablesClientConfig } from '@aws-sdk/client-s3tables'

/**
 * Settings of clients that cannot hang: a frozen connection, request or answer becomes an error that the client tries again,
 * and all of it ends by the deadline of `catalogCall`.
 */
const UNHANGING = {
  maxAttempts: 4,
  requestHandler: {
    connectionTimeout: 3000,
    /** Until the answer begins. */
    requestTimeout: 10_000,
    throwOnRequestTimeout: true,
    /** Silence, in the midst of an answer too. */
    socketTimeout: 5000,
  },
}

/** By default with region, endpoint and credentials from the environment. */
export function createGlueClient(config: GlueClientConfig = {}): GlueClient {
  return new GlueClient({ ...UNHANGING, ...config })
}

/** By default with region, endpoint and credentials from the environment. */
export function createS3TablesClient(config: S3TablesClientConfig = {}): S3TablesClient {
  return new S3TablesClient({ ...UNHANGING, ...config })
}
