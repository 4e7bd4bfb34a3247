import process from 'node:process'
import * as z from 'zod'
import { catalogOf, type Environment, readConfig } from '#shared/config.ts'
import type { CommitterSurroundings } from '#shared/lake/committer.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { applyTable } from '#shared/lake/lake-tables.ts'
import { openStore } from '#shared/lake/open-store.ts'
import { parseLock } from '#shared/pipeline/table-lock.ts'
import { type CustomResource, customResourceHandler, type CustomResourceHandler } from './custom-resource.ts'

const Name = z.string().min(1)

/** Of a Custom::IcebergTables: see infra/custom-resources.ts, which writes them. */
const Properties = z.object({
  Pipeline: Name,
  Generation: z.coerce.number().int().min(0),
  Tables: z.array(z.object({ Table: Name, Lock: z.string() })).min(1),
})
type Properties = z.output<typeof Properties>

/** The function behind Custom::IcebergTables: the tables of a pipeline become what their locks say (see `applyTable`). */
export function tablesHandler(): CustomResourceHandler {
  return customResourceHandler(tablesResource(() => fromEnvironment(process.env)))
}

/** @param surroundings called for each request: what is wrong with the environment is told CloudFormation */
export function tablesResource(surroundings: () => CommitterSurroundings): CustomResource<Properties> {
  return {
    properties: Properties,
    idOf: ({ Pipeline: pipeline, Generation: generation }) => `iceberg-tables:${pipeline}:${generation}`,
    apply: async ({ Pipeline: pipeline, Generation: generation, Tables: tables }, signal) => {
      const lake = surroundings()
      for (const { Table: table, Lock: lock } of tables) {
        signal.throwIfAborted()
        await applyTable(lake, { pipeline, generation, table }, parseLock(JSON.parse(lock)))
      }
      return { Tables: tables.map(({ Table: table }) => table).join(',') }
    },
  }
}

function fromEnvironment(environment: Environment): CommitterSurroundings {
  const config = readConfig(environment)
  const store = openStore(config.lakeUrl)
  return { store, tables: openCatalog(catalogOf(config), store), now: Date.now }
}
