import { createHash } from 'node:crypto'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { SortedObjects } from '../memory-store.ts'
import type { Fate } from './fates.ts'
import type { Process, Request } from './process.ts'

/**
 * A bucket as S3 keeps it: puts are atomic and may be conditional, reads and lists see every put that was answered, an
 * ETag is the digest of the body, and lists come in pages, each of them true at the moment it is asked for.
 */
export class Bucket {
  readonly objects = new SortedObjects()
  readonly #pageSize: number

  constructor(pageSize = 1000) {
    this.#pageSize = pageSize
  }

  /** A client of the SDK as a process has it: what becomes of its requests is the schedule's to say. */
  clientOf(process: Process): S3Client {
    return clientThat((command, signal) => process.call(this.#request(command), signal))
  }

  /** A client whose requests are all done, once and at once. */
  client(): S3Client {
    return clientThat(async (command) => this.#request(command).effect())
  }

  /** What the command of the SDK asks for, and how it is done. */
  #request(command: unknown): Request {
    if (command instanceof PutObjectCommand) {
      const { Key: key = '', Body, IfNoneMatch } = command.input
      // What is put is what there was when it was sent, whatever becomes of the buffer.
      const body = Buffer.from(Body as Uint8Array)
      const isConditional = IfNoneMatch === '*'
      const effect = (): unknown => this.#put(key, body, isConditional)
      return { operation: isConditional ? 'putIfAbsent' : 'put', key, effect, error: errorOf }
    }
    if (command instanceof GetObjectCommand) {
      const { Key: key = '' } = command.input
      return {
        operation: 'get',
        key,
        effect: () => this.#get(key),
        spoiled: () => this.#get(key, true),
        error: errorOf,
      }
    }
    if (command instanceof ListObjectsV2Command) {
      const { Prefix: key = '', StartAfter, ContinuationToken, MaxKeys } = command.input
      const effect = (): unknown => this.#list(key, ContinuationToken ?? StartAfter, MaxKeys)
      return { operation: 'list', key, effect, error: errorOf }
    }
    if (command instanceof HeadObjectCommand) {
      const { Key: key = '' } = command.input
      return { operation: 'size', key, effect: () => this.#head(key), error: errorOf }
    }
    if (command instanceof DeleteObjectCommand) {
      const { Key: key = '' } = command.input
      return { operation: 'delete', key, effect: () => this.objects.delete(key), error: errorOf }
    }
    if (command instanceof HeadBucketCommand)
      return { operation: 'find', key: '', effect: () => undefined, error: errorOf }
    throw new Error('this bucket knows only the commands that the store sends')
  }

  #put(key: string, body: Uint8Array, isConditional: boolean): unknown {
    if (isConditional && this.objects.get(key) !== undefined) throw TAKEN
    this.objects.set(key, body)
    return new Answer(body)
  }

  #get(key: string, breaksOff = false): unknown {
    const body = this.objects.get(key)
    if (body === undefined) throw MISSING
    return new Answer(body, async () => {
      if (breaksOff) throw new Error('aborted')
      return body
    })
  }

  #head(key: string): unknown {
    const body = this.objects.get(key)
    if (body === undefined) throw exception('NotFound', 404)
    return new Answer(body)
  }

  #list(prefix: string, after: string | undefined, most = 1000): unknown {
    const { entries, isTruncated } = this.objects.page(prefix, after, Math.min(most, this.#pageSize))
    return {
      Contents: entries.map(({ key, bytes, modified }) => ({
        Key: encodeURIComponent(key),
        Size: bytes,
        LastModified: new Date(modified),
      })),
      NextContinuationToken: isTruncated ? entries.at(-1)?.key : undefined,
    }
  }
}

/** What S3 says of an object. Digests are worked out for those who ask. */
class Answer {
  readonly Body: { readonly transformToByteArray: () => Promise<Uint8Array> } | undefined
  readonly ContentLength: number
  readonly #body: Uint8Array

  constructor(body: Uint8Array, read?: () => Promise<Uint8Array>) {
    this.#body = body
    this.ContentLength = body.length
    this.Body = read === undefined ? undefined : { transformToByteArray: read }
  }

  get ETag(): string {
    return `"${createHash('md5').update(this.#body).digest('hex')}"`
  }
}

function clientThat(send: (command: unknown, signal: AbortSignal | undefined) => Promise<unknown>): S3Client {
  const client = {
    send: (command: unknown, options?: { readonly abortSignal?: AbortSignal }) => send(command, options?.abortSignal),
  }
  return client as unknown as S3Client
}

/** What the client of the SDK throws for a request that meets with a misfortune. */
function errorOf(fate: Fate): Error {
  if (fate === 'refused') return exception('SlowDown', 503)
  if (fate === 'broken' || fate === 'failed when done') return exception('InternalError', 500)
  if (fate === 'conflict') return exception('ConditionalRequestConflict', 409)
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
}

function exception(name: string, httpStatusCode: number): S3ServiceException {
  const $fault = httpStatusCode < 500 ? 'client' : 'server'
  return new S3ServiceException({ name, $fault, $metadata: { httpStatusCode }, message: name })
}

/** The commonest two, which need not be made anew each time. */
const TAKEN = exception('PreconditionFailed', 412)
const MISSING = exception('NoSuchKey', 404)
