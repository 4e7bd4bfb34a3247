import process from 'node:process'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Scorer } from '#shared/pipeline/scorer.ts'
import type { ScoringReport } from '#shared/scoring/endpoint-scorer.ts'

/** What the environment says of endpoints. */
const ENDPOINT = 'AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME'
const SET_UP = [ENDPOINT, 'AWS_ENDPOINT_URL', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE']

/**
 * What asks the models of a pipeline from this machine. Where no endpoint is set up, the rows wait for their scores, and it is
 * said how to set one up.
 * @returns undefined for a pipeline without scores, and where nobody is to ask
 */
export async function openScorer(
  pipeline: Pipeline,
  store: ObjectStore,
  onScored: (report: ScoringReport) => void,
): Promise<Scorer | undefined> {
  if (pipeline.scores.length === 0) return undefined
  if (!isSetUp()) {
    process.stderr.write(`${notSetUp(pipeline)}\n`)
    return undefined
  }
  const { sagemakerScorer } = await import('#shared/runtimes/scorer.ts')
  return sagemakerScorer(store, onScored, localAccess())
}

function isSetUp(): boolean {
  return SET_UP.some((name) => Boolean(process.env[name]))
}

export function notSetUp({ name, scores }: Pipeline): string {
  const endpoints = scores.map(({ endpoint }) => endpoint).join(', ')
  return (
    `Rows of ${name} wait for their scores: no endpoint (${endpoints}) is set up. Set ${ENDPOINT} to the URL of a model ` +
    `on this machine, or AWS_REGION and credentials for SageMaker; "inlet rescore ${name}" scores them then.`
  )
}

/** A model on this machine asks for neither a region nor credentials, and the client wants to sign all the same. */
function localAccess() {
  const url = process.env[ENDPOINT]
  if (url === undefined || !['127.0.0.1', 'localhost', '[::1]'].includes(URL.parse(url)?.hostname ?? '')) return {}
  const region = process.env['AWS_REGION'] || process.env['AWS_DEFAULT_REGION'] || 'us-east-1'
  if (['AWS_ACCESS_KEY_ID', 'AWS_PROFILE'].some((name) => Boolean(process.env[name]))) return { region }
  return { region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
}
