import { deployment, type Deployment } from '../../infra/deployment.ts'
import { type StageSettings, stageSettings } from '../../infra/stage.ts'
import type { Pipeline } from '#shared/pipeline/pipeline.ts'

/** What serverless.yml says by itself. */
const DEFAULTS = {
  clusterArn: '',
  clusterSubnets: '',
  clusterSecurityGroups: '',
  alarmEmail: '',
  freshnessSeconds: 600,
  modelImage: '',
  modelKey: '',
  modelInstance: '',
  reserveConcurrency: false,
  allow: '',
}

/** The stage `dev` of the service `inlet`. @throws StageError when the params are wrong */
export function stage(params: Readonly<Record<string, unknown>> = {}): StageSettings {
  return stageSettings('inlet', 'dev', { ...DEFAULTS, ...params })
}

export function deployed(pipelines: readonly Pipeline[], settings = stage()): Deployment {
  return deployment(
    settings,
    pipelines.map((pipeline) => ({ folder: pipeline.name, pipeline })),
  )
}
