import { GlueClient, type GlueClientConfig } from '@aws-sdk/client-glue'
import { S3TablesClient, type S3TablesClientConfig } from '@aws-sdk/client-s3tables'
import { UNHANGING } from './bounded-call.ts'

/** By default with region, endpoint and credentials from the environment. */
export function createGlueClient(config: GlueClientConfig = {}): GlueClient {
  return new GlueClient({ ...UNHANGING, ...config })
}

/** By default with region, endpoint and credentials from the environment. */
export function createS3TablesClient(config: S3TablesClientConfig = {}): S3TablesClient {
  return new S3TablesClient({ ...UNHANGING, ...config })
}
