import path from 'node:path'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { S3Store } from '#shared/lake/s3-store.ts'
import { Ministack } from '#test/helpers/ministack.ts'

/** Where lakes of the benchmark are. */
export interface Place {
  readonly name: 'directory' | 'S3'
  /** A lake that nobody else has. */
  readonly lake: (name: string) => string
  readonly open: (lake: string) => ObjectStore
  /** What a process needs to know to get there. */
  readonly environment: Readonly<Record<string, string>>
  readonly close: () => Promise<void>
}

const BUCKET = 'bench'

/** @param directory one that is removed afterwards */
export async function placesIn(directory: string): Promise<readonly Place[]> {
  const s3 = await Ministack.start()
  await s3.createBucket(BUCKET)
  return [
    {
      name: 'directory',
      lake: (name) => path.join(directory, name),
      open: openStore,
      environment: {},
      close: () => Promise.resolve(),
    },
    {
      name: 'S3',
      lake: (name) => `s3://${BUCKET}/${name}`,
      open: (lake) => new S3Store(lake, { client: s3.client() }),
      environment: s3.environment(),
      close: () => s3.stop(),
    },
  ]
}
