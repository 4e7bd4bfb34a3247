import type { Context } from 'aws-lambda'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { LakeStore } from '#shared/lake/lake-store.ts'
import { ObjectStoreLake } from '#shared/lake/lake.ts'
import { applyTables, commitTables } from '#shared/lake/pipeline-tables.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import { pipelineHandler } from '#shared/runtimes/lambda.ts'
import { type GlueCall, glueAnswering, GlueRefusal } from './glue-answers.ts'
import type { AskedFor } from './granted.ts'
import { MemoryStore } from './memory-store.ts'
import { timeless } from './mending-sensors.ts'
import { reading, sensorEvent } from './sensors.ts'

export const GLUE = 'arn:aws:glue:us-east-1:123456789012'

/** How a function is called that has a minute. */
export const context = { getRemainingTimeInMillis: () => 60_000 } as Context

export const quiet = { begin() {}, slice() {}, failure() {}, commit() {}, registration() {}, end() {} }
/** Telemetry that throws what a function has failed with. */
export const loud = {
  ...quiet,
  failure: (...told: unknown[]) => {
    throw told.at(-1)
  },
}

const READS = new Set(['get', 'size'])

/** A lake, a catalog and a bucket of failed batches that write down what is asked of them. */
export class RecordingAccount {
  readonly asked: AskedFor[] = []
  readonly #tables = new Map<string, object>()
  readonly #lake = Object.assign(new MemoryStore(), { url: 's3://lake' })
  readonly givenUp = new MemoryStore()
  readonly glue = glueAnswering((call) => this.#answer(call)).glue

  /** One that has the tables of a pipeline, and was asked for nothing yet. */
  static async withTables(pipeline: Pipeline): Promise<RecordingAccount> {
    const account = new RecordingAccount()
    await applyTables(account.bare, pipeline)
    account.asked.length = 0
    return account
  }

  get lake(): LakeStore {
    const recording = Object.assign(this.#recording(this.#lake, 'LakeBucket.Arn'), { url: 's3://lake' })
    const refuse = (): never => {
      throw new Error('no table has a bucket of its own')
    }
    return new LakeStore(recording, { openBucket: refuse, hasBucket: () => 'unknown' })
  }

  get failedBatches(): MemoryStore {
    return this.#recording(this.givenUp, 'arn:aws:s3:::given-up')
  }

  /** The lake and its catalog, as a function has them. */
  get surroundings() {
    const store = this.lake
    return { store, tables: openCatalog('glue:lake', store, { glue: this.glue }), now: Date.now }
  }

  /** The same for somebody who may do everything. */
  get bare(): CommitterSurroundings {
    const store = this.#lake
    return { store, tables: openCatalog('glue:lake', store, { glue: this.glue }), now: Date.now }
  }

  /** Lands records, some of them refused, then some before them: what fills a gap is an amendment, with its marker. */
  async land(pipeline: Pipeline): Promise<void> {
    const tables = this.surroundings
    const handler = pipelineHandler(pipeline, () => ({
      lake: new ObjectStoreLake(this.lake),
      telemetry: loud,
      concurrency: 2,
      ...(pipeline.commit === 'immediate' && { commitTables: (signal) => commitTables(tables, pipeline, { signal }) }),
    }))
    await handler(sensorEvent([reading(1), reading(666), timeless(2), '{'], 0, 10), context)
    await handler(sensorEvent([reading(3), '{'], 0, 5), context)
    await handler(sensorEvent([reading(4)], 0, 20), context)
  }

  #recording(store: MemoryStore, bucket: string): MemoryStore {
    return store.through((call, effect) => {
      this.#record(call.operation, bucket, call.key)
      const answer = effect()
      // Who may not list is not told that there is no such object, but that the answer is secret.
      if (answer === undefined && READS.has(call.operation))
        this.asked.push({ action: 's3:ListBucket', resource: bucket })
      return Promise.resolve(answer)
    })
  }

  #record(operation: string, bucket: string, key: string): void {
    const object = `${bucket}/${key}`
    if (operation === 'list') this.asked.push({ action: 's3:ListBucket', resource: bucket, prefix: key })
    else if (operation === 'delete') this.asked.push({ action: 's3:DeleteObject', resource: object })
    else {
      const isRead = READS.has(operation)
      this.asked.push({ action: isRead ? 's3:GetObject' : 's3:PutObject', resource: object })
      this.asked.push({ action: isRead ? 'kms:Decrypt' : 'kms:GenerateDataKey', resource: 'LakeKey.Arn' })
    }
  }

  #answer({ operation, input }: GlueCall): object {
    const given = input['TableInput'] as { Name: string } | undefined
    const name = String(given?.Name ?? input['Name'] ?? input['TableName'])
    for (const part of ['catalog', 'database/lake', `table/lake/${name}`])
      this.asked.push({ action: `glue:${operation}`, resource: `${GLUE}:${part}` })
    const found = this.#tables.get(name)
    if (operation === 'GetTable')
      return found === undefined ? new GlueRefusal('EntityNotFoundException') : { Table: found }
    if (given !== undefined) this.#tables.set(name, { ...given, VersionId: String(this.asked.length) })
    return {}
  }
}
