import * as z from 'zod'
import { ChangingObject } from '#shared/lake/changing-object.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { escapePath } from '#shared/pipeline/partition-path.ts'
import type { BreakerMemory } from '#shared/scoring/endpoint-breaker.ts'
import { EndpointScorer, type ScoringReport } from '#shared/scoring/endpoint-scorer.ts'
import { createSageMakerClient, endpointInvoker } from '#shared/scoring/sagemaker-endpoint.ts'

/** Below it, what is known of endpoints. */
const SCORING_ROOT = 'scoring/'

/** A scorer that asks SageMaker, as the environment says, and remembers in the lake which endpoints are away. */
export function sagemakerScorer(
  store: ObjectStore,
  onScored: (report: ScoringReport) => void,
  config: Parameters<typeof createSageMakerClient>[0] = {},
): EndpointScorer {
  const invoke = endpointInvoker(createSageMakerClient(config))
  return new EndpointScorer({ invoke, memory: breakerMemory(store), now: Date.now, random: Math.random, onScored })
}

const State = z.object({ isOpen: z.boolean(), since: z.number(), probeAt: z.number(), change: z.int().min(1) })

/** Breakers as objects of the lake. */
export function breakerMemory(store: ObjectStore): BreakerMemory {
  const of = (endpoint: string): ChangingObject =>
    new ChangingObject(store, `${SCORING_ROOT}${escapePath(endpoint)}/breaker/`)
  return {
    read: async (endpoint) => State.safeParse(await of(endpoint).newest()).data,
    write: (endpoint, state) => of(endpoint).put(state.change, state),
  }
}
