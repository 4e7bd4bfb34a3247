import { readFile } from 'node:fs/promises'
import path from 'node:path'
import * as z from 'zod'
import { UsageError } from '#shared/cli/failure.ts'

/** Where a model's training script and its server are. */
export const MODEL_SOURCES = path.join(import.meta.dirname, '../../../infra/sagemaker')

const Declaration = z.object({
  pipeline: z.string(),
  endpoint: z.string(),
  /** Columns of the table, in the order in which the pipeline's score sends them. */
  features: z.array(z.string()).min(1),
  /** The column that tells, later, what the model has to foresee. */
  target: z.string(),
})

/** What a model is asked, and what it learns from. */
export type ModelDeclaration = Readonly<z.output<typeof Declaration>>

/** The model of a pipeline. @throws UsageError when there is none */
export async function modelDeclaration(pipeline: string): Promise<ModelDeclaration> {
  const file = path.join(MODEL_SOURCES, 'flight_delay/declaration.json')
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) throw new UsageError(`there is no ${file}: models are trained from the project's own folder`)
  const declaration = Declaration.parse(JSON.parse(text))
  if (declaration.pipeline === pipeline) return declaration
  throw new UsageError(`no model is made for "${pipeline}": that of infra/sagemaker is for ${declaration.pipeline}`)
}
