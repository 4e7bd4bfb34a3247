import { fileURLToPath } from 'node:url'
import { InletError } from '#shared/pipeline/errors.ts'
import { DirectoryStore } from './directory-store.ts'
import type { ObjectStore } from './object-store.ts'
import { S3Store } from './s3-store.ts'

/**
 * The object store that a URL names: `file:` and a path, absolute or relative to the working directory (a path alone is a
 * directory too), or `s3://bucket/prefix`, with region and credentials from the environment.
 * @throws InletError STORE_DENIED for a scheme that there is no store for.
 */
export function openStore(url: string): ObjectStore {
  const scheme = /^(?<scheme>[a-z][a-z0-9+.-]+):/i.exec(url)?.groups?.['scheme']
  if (scheme === undefined) return new DirectoryStore(url)
  if (scheme === 'file')
    return new DirectoryStore(url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length))
  if (scheme === 's3') return new S3Store(url)
  throw new InletError(
    'STORE_DENIED',
    `${url}: there is no store for "${scheme}:"; use file: and a directory, or s3://bucket/prefix`,
  )
}
