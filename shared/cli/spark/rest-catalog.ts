/**
 * The catalog of a lake in a directory as Iceberg's REST catalog, for a Spark on this machine (Iceberg REST catalog's OpenAPI
 * specification). Spark's own catalog of directories looks whether a version is there and renames over it: a commit of ours in
 * between would be lost. Here both commit by the same compare and swap.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import * as z from 'zod'
import { parseExact, stringifyExact } from '#shared/lake/iceberg/exact-json.ts'
import type { OpenCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { brokenRequirement, CommitRequest, StaleUpdateError, withUpdates } from '#shared/lake/iceberg/rest-updates.ts'
import type { LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import { parseMetadata, type TableMetadata } from '#shared/lake/iceberg/table-metadata.ts'

/** As in infra/jobs/lake_job.py. */
const NAMESPACE = 'tables'
const TABLES = `/v1/namespaces/${NAMESPACE}/tables`

/** Loose: what Spark sends besides is not asked for here. */
const CreateRequest = z.object({
  name: z.string().regex(/^[a-z0-9_]{1,255}$/, 'names of tables are lower-case letters, digits and _'),
  schema: z.looseObject({ fields: z.array(z.looseObject({ id: z.int() })) }),
  'partition-spec': z.looseObject({ fields: z.array(z.looseObject({})) }).nullish(),
  'stage-create': z.literal(false).nullish(),
  properties: z.record(z.string(), z.string()).nullish(),
})

interface Answer {
  readonly status: number
  readonly body?: unknown
}

export interface RestCatalogOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** It listens on the loopback interface, below a path that nobody can guess: whoever knows it may change the tables. */
export class RestCatalog {
  readonly #server: Server
  readonly #secret = `/${randomUUID()}`
  readonly #tables: OpenCatalog
  readonly #now: () => number

  private constructor(tables: OpenCatalog, { now }: RestCatalogOptions) {
    this.#tables = tables
    this.#now = now
    this.#server = createServer((request, response) => void this.#respond(request, response))
  }

  /** Whoever starts it has to stop it. */
  static async start(tables: OpenCatalog, options: RestCatalogOptions): Promise<RestCatalog> {
    const catalog = new RestCatalog(tables, options)
    catalog.#server.listen(0, '127.0.0.1')
    await once(catalog.#server, 'listening')
    return catalog
  }

  get uri(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#secret}`
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    if (this.#server.listening) await once(this.#server, 'close')
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#answer(request)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body === undefined || request.method === 'HEAD' ? undefined : stringifyExact(body))
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    try {
      const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
      if (!pathname.startsWith(`${this.#secret}/`)) return fault(404, 'NotFoundException', 'there is nothing here')
      return await this.#route(request, pathname.slice(this.#secret.length))
    } catch (error) {
      if (error instanceof z.ZodError) return fault(400, 'BadRequestException', z.prettifyError(error))
      return fault(500, 'ServerErrorException', error instanceof Error ? error.message : String(error))
    }
  }

  async #route(request: IncomingMessage, path: string): Promise<Answer> {
    const { method = 'GET' } = request
    if (path === '/v1/config') return { status: 200, body: { defaults: {}, overrides: {} } }
    if (path === `/v1/namespaces/${NAMESPACE}`) return { status: 200, body: { namespace: [NAMESPACE], properties: {} } }
    if (path === TABLES && method === 'POST') return this.#create(CreateRequest.parse(await bodyOf(request)))
    const table = path.startsWith(`${TABLES}/`) ? decodeURIComponent(path.slice(TABLES.length + 1)) : undefined
    if (table === undefined) {
      // Spark asks for `tables.flights.history` as a table, too, before it takes it for a part of `tables.flights`.
      const type = path.includes('/tables/') ? 'NoSuchTableException' : 'NoSuchNamespaceException'
      return fault(404, type, `there is only the namespace ${NAMESPACE}`)
    }
    if (method === 'POST') return this.#commit(table, CommitRequest.parse(await bodyOf(request)))
    const loaded = await this.#tables.catalog.load(table)
    if (loaded === undefined) return fault(404, 'NoSuchTableException', `there is no table ${table}`)
    return method === 'GET' || method === 'HEAD' ? found(loaded) : fault(406, 'UnsupportedOperationException', method)
  }

  async #create({ name, schema, properties, ...request }: z.output<typeof CreateRequest>): Promise<Answer> {
    const location = await this.#tables.locationOf(name)
    const fields = (request['partition-spec']?.fields ?? []).map((field, i) => ({ ...field, 'field-id': 1000 + i }))
    const metadata: object = {
      'format-version': 2,
      'table-uuid': randomUUID(),
      location,
      'last-sequence-number': 0,
      'last-updated-ms': this.#now(),
      'last-column-id': Math.max(...schema.fields.map(({ id }) => id)),
      schemas: [{ ...schema, type: 'struct', 'schema-id': 0 }],
      'current-schema-id': 0,
      'partition-specs': [{ 'spec-id': 0, fields }],
      'default-spec-id': 0,
      'last-partition-id': 999 + fields.length,
      'sort-orders': [{ 'order-id': 0, fields: [] }],
      'default-sort-order-id': 0,
      properties: properties ?? {},
    }
    const first = parseMetadata(location, Buffer.from(stringifyExact(metadata)))
    if ((await this.#tables.catalog.create(name, first)) === 'conflict')
      return fault(409, 'AlreadyExistsException', `there is a table ${name}`)
    const loaded = await this.#tables.catalog.load(name)
    return loaded === undefined ? fault(404, 'NoSuchTableException', `there is no table ${name}`) : found(loaded)
  }

  /** What has lost a race is made again, as long as the table is still what the client takes it for. */
  async #commit(table: string, { requirements, updates }: z.output<typeof CommitRequest>): Promise<Answer> {
    for (;;) {
      const base = await this.#tables.catalog.load(table)
      if (base === undefined) return fault(404, 'NoSuchTableException', `there is no table ${table}`)
      const broken = brokenRequirement(base.metadata, requirements)
      if (broken !== undefined) return fault(409, 'CommitFailedException', `${table} has changed: ${broken}`)
      let updated: TableMetadata
      try {
        updated = withUpdates(base.metadata, updates, this.#now())
      } catch (error) {
        if (error instanceof StaleUpdateError) return fault(409, 'CommitFailedException', error.message)
        throw error
      }
      if ((await this.#tables.catalog.commit(table, base, updated)) === 'conflict') continue
      const loaded = await this.#tables.catalog.load(table)
      return loaded === undefined ? fault(404, 'NoSuchTableException', `there is no table ${table}`) : found(loaded)
    }
  }
}

function found({ location, metadata }: LoadedTable): Answer {
  return { status: 200, body: { 'metadata-location': location, metadata, config: {} } }
}

function fault(code: number, type: string, message: string): Answer {
  return { status: code, body: { error: { message, type, code } } }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return parseExact(Buffer.concat(parts).toString('utf8'))
}
