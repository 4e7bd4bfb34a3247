import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { InletError } from '#shared/pipeline/errors.ts'
import { boundedCall, DEADLINE_MS, UNHANGING } from './bounded-call.ts'
import { CallGate } from './call-gate.ts'
import { keyFault, type ListOptions, type ObjectEntry, type ObjectStore } from './object-store.ts'
import { isMissing, s3Error, statusOf } from './s3-errors.ts'
import { placeInTableBucket } from './table-bucket.ts'

/** Sockets, and calls under way, of one store: what a Lambda function writes at a time, and far below its 1024 files. */
const MAX_SOCKETS = 64
/** S3 lists at most so many keys at a time. */
const PAGE_KEYS = 1000
/** S3's limit, in UTF-8 ("Creating object key names"). */
const MAX_KEY_BYTES = 1024
/** How often an answer that breaks off, or a conflict with another conditional write, is tried in all. */
const ATTEMPTS = 5
const CONFLICT_DELAY_MS = 50

export interface S3StoreOptions {
  /** By default one that takes region, endpoint and credentials from the environment. */
  readonly client?: S3Client
  /** How long a call may take in all: retries, waiting between them, and reading its answer. Milliseconds. */
  readonly deadlineMs?: number
}

/** A client that cannot hang (see `UNHANGING`). Sockets are kept alive between calls. */
export function createS3Client(config: S3ClientConfig = {}): S3Client {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS }
  return new S3Client({
    ...UNHANGING,
    requestHandler: { ...UNHANGING.requestHandler, httpAgent: agent, httpsAgent: agent },
    // "100 Continue" would take a new, unbounded connection for every body above 2 MiB.
    expectContinueHeader: false,
    ...config,
  })
}

/**
 * An object store in an S3 bucket, below a prefix of it. `putIfAbsent` is a conditional write (`If-None-Match: *`), which
 * S3 makes exclusive. S3 checks the CRC-32 of what is put, and the client that of what it gets.
 */
export class S3Store implements ObjectStore {
  readonly url: string
  readonly #client: S3Client
  readonly #bucket: string
  /** Empty, or with a slash at its end. */
  readonly #root: string
  readonly #deadlineMs: number
  /** The client's timeouts run while a request waits for a socket, so that it must not have to. */
  readonly #gate = new CallGate(MAX_SOCKETS)

  /**
   * @param url `s3://bucket`, or `s3://bucket/some/prefix`
   * @throws InletError STORE_DENIED for a URL that cannot be one
   */
  constructor(url: string, options: S3StoreOptions = {}) {
    const { bucket = '', prefix = '' } =
      /^s3:\/\/(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/+(?<prefix>.*?))?\/*$/.exec(url)?.groups ?? {}
    if (bucket === '') throw new InletError('STORE_DENIED', `${url}: expected s3://bucket or s3://bucket/prefix`)
    const fault = prefix === '' ? undefined : keyFault(prefix)
    if (fault !== undefined) throw new InletError('STORE_DENIED', `${url}: the prefix cannot be used: ${fault}`)
    this.#bucket = bucket
    this.#root = prefix === '' ? '' : `${prefix}/`
    this.url = `s3://${bucket}/${prefix}`
    this.#client = options.client ?? createS3Client()
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    const put = new PutObjectCommand({ ...this.#object('write', key), Body: body })
    await this.#call('write', key, (abortSignal) => this.#client.send(put, { abortSignal }))
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'taken'> {
    const put = new PutObjectCommand({ ...this.#object('write', key), Body: body, IfNoneMatch: '*' })
    return this.#call('write', key, async (abortSignal) => {
      for (let attempt = 1; ; attempt++) {
        try {
          await this.#client.send(put, { abortSignal })
          return 'created'
        } catch (error) {
          if (statusOf(error) === 412) return 'taken'
          // 409: another conditional write of this key is under way, and may yet fail ("Conditional writes", S3 user guide).
          if (statusOf(error) !== 409 || attempt === ATTEMPTS) throw error
          await wait(Math.random() * CONFLICT_DELAY_MS * 2 ** attempt)
        }
      }
    })
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const get = new GetObjectCommand(this.#object('read', key))
    return this.#call('read', key, async (abortSignal) => {
      for (let attempt = 1; ; attempt++) {
        const answer = await orUndefined(this.#client.send(get, { abortSignal }))
        try {
          return await answer?.Body?.transformToByteArray()
        } catch (error) {
          // The client tries again only until an answer begins, not what breaks off or has another checksum.
          if (attempt === ATTEMPTS || abortSignal.aborted) throw error
        }
      }
    })
  }

  async size(key: string): Promise<number | undefined> {
    const head = new HeadObjectCommand(this.#object('read', key))
    const answer = await this.#call('read', key, (abortSignal) => orUndefined(this.#client.send(head, { abortSignal })))
    if (answer !== undefined) return answer.ContentLength
    // Nobody has written such a URL by hand, and S3 Tables has no HeadBucket.
    if (placeInTableBucket(this.url) !== undefined) return undefined
    // The answer to HEAD has no body to say what is missing, the key or its bucket.
    const bucket = new HeadBucketCommand({ Bucket: this.#bucket })
    await this.#call('find the bucket of', key, (abortSignal) => this.#client.send(bucket, { abortSignal }))
    return undefined
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectEntry> {
    const { startAfter, limit = Number.POSITIVE_INFINITY } = options
    let page: ListObjectsV2CommandOutput | undefined
    let left = limit
    while (left > 0 && (page === undefined || page.NextContinuationToken !== undefined)) {
      const list = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: `${this.#root}${prefix}`,
        StartAfter: startAfter === undefined ? undefined : `${this.#root}${startAfter}`,
        ContinuationToken: page?.NextContinuationToken,
        MaxKeys: Math.min(left, PAGE_KEYS),
        // XML cannot hold every character that a key can.
        EncodingType: 'url',
      })
      page = await this.#call('list', prefix, (abortSignal) => this.#client.send(list, { abortSignal }))
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        const key = decodeKey(Key).slice(this.#root.length)
        // What other tools leave to show a folder ("a/") is no object of ours.
        if (keyFault(key) !== undefined) continue
        left -= 1
        yield { key, bytes: Size, modified: LastModified?.getTime() ?? 0 }
      }
    }
  }

  async delete(key: string): Promise<void> {
    const del = new DeleteObjectCommand(this.#object('delete', key))
    await this.#call('delete', key, (abortSignal) => orUndefined(this.#client.send(del, { abortSignal })))
  }

  #object(doing: string, key: string): { Bucket: string; Key: string } {
    const Key = `${this.#root}${key}`
    const fault = keyFault(key) ?? s3KeyFault(Key)
    if (fault !== undefined) throw new InletError('KEY_INVALID', `cannot ${doing} ${JSON.stringify(key)}: ${fault}`)
    return { Bucket: this.#bucket, Key }
  }

  /** Makes a call when its turn comes, gives it up at the deadline, and says in our words what went wrong. */
  #call<T>(doing: string, key: string, work: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    const cannot = `cannot ${doing} s3://${this.#bucket}/${this.#root}${key}`
    return this.#gate.pass(() =>
      boundedCall(cannot, this.#deadlineMs, work, (error) => {
        throw s3Error(error, cannot)
      }),
    )
  }
}

function s3KeyFault(key: string): string | undefined {
  if (!key.isWellFormed()) return 'it is not Unicode: it has half of a surrogate pair'
  const bytes = Buffer.byteLength(key)
  return bytes > MAX_KEY_BYTES ? `it is too long: ${bytes} bytes, and S3 takes ${MAX_KEY_BYTES}` : undefined
}

async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Undoes `EncodingType: 'url'`, the encoding of HTML forms. */
function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll('+', ' '))
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
