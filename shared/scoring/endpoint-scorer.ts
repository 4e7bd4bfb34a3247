/**
 * Scores rows by the endpoints of SageMaker, without ever giving a row another's score, and without waiting for an endpoint that
 * is away.
 *
 * Rows go in requests of several. Where a request fails because of what it holds, it is made again as two halves, down to the row
 * that is to blame, which has no score then; its neighbours have theirs. Where it fails because of the endpoint, it is made again
 * after a pause, a few times; then its rows wait. When the signal aborts, all that has no answer waits.
 *
 * A model that fails with everything looks like rows that it fails with, when there are no others beside them. Before it is taken
 * to be away, a row is asked again that it has answered before: if it does so again, the others are to blame.
 */
import type { Score } from '#shared/pipeline/score.ts'
import type { Scorer, Verdict } from '#shared/pipeline/scorer.ts'
import { AdaptiveConcurrency } from './adaptive-concurrency.ts'
import { rest, retryPause } from './backoff.ts'
import { type BreakerMemory, EndpointBreaker } from './endpoint-breaker.ts'
import { endpointFault, type FaultKind } from './endpoint-faults.ts'
import { predictionsOf } from './predictions.ts'
import { bodyOf, type EncodedRow, halves, requestBatches } from './request-batches.ts'
import type { InvokeEndpoint } from './sagemaker-endpoint.ts'

/** What scoring some rows came to, for whoever watches. */
export interface ScoringReport {
  readonly score: string
  readonly rows: number
  readonly requests: number
  readonly throttles: number
  /** From the first request to the last answer. */
  readonly milliseconds: number
  /** Whether the endpoint is taken to be away. */
  readonly isBreakerOpen: boolean
}

export interface EndpointScorerOptions {
  readonly invoke: InvokeEndpoint
  readonly memory: BreakerMemory
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
  readonly onScored?: (report: ScoringReport) => void
}

/** How often a request of several rows, or of one, is made; what is to blame on the rows is halved in between. */
const ATTEMPTS: Readonly<Record<FaultKind, { readonly several: number; readonly one: number }>> = {
  throttled: { several: 8, one: 8 },
  notReady: { several: 8, one: 8 },
  unreachable: { several: 4, one: 4 },
  late: { several: 2, one: 2 },
  refused: { several: 1, one: 1 },
  model: { several: 1, one: 2 },
  response: { several: 2, one: 4 },
}

/** What they tell of the endpoint: 10 in a row, and it is taken to be away. Null when it is there. */
const WEIGHTS: Readonly<Record<FaultKind, number | null>> = {
  throttled: null,
  notReady: null,
  unreachable: 2,
  late: 5,
  refused: 10,
  model: 1,
  response: 1,
}

/** What rows can be to blame for. */
const OF_ROWS: ReadonlySet<FaultKind> = new Set(['model', 'response'])

/** That of a request which waited in vain for all its time, in which no other was answered either: the endpoint hangs. */
const HANGS = 10

/** What they come to when the last attempt has failed. */
const VERDICTS: Readonly<Record<FaultKind, Verdict>> = {
  throttled: { kind: 'unavailable', reason: 'THROTTLED' },
  notReady: { kind: 'unavailable', reason: 'NOT_READY' },
  unreachable: { kind: 'unavailable', reason: 'UNREACHABLE' },
  late: { kind: 'unavailable', reason: 'UNREACHABLE' },
  refused: { kind: 'unavailable', reason: 'REFUSED' },
  model: { kind: 'unscored', reason: 'MODEL_ERROR' },
  response: { kind: 'unscored', reason: 'RESPONSE_INVALID' },
}
const NO_TIME: Verdict = { kind: 'unavailable', reason: 'NO_TIME' }
const NOTHING_ASKED = { requests: 0, throttles: 0, milliseconds: 0, isBreakerOpen: true }
const BREAKER_OPEN: Verdict = { kind: 'unavailable', reason: 'BREAKER_OPEN' }

/** What requests to one endpoint share, of all slices that are scored at a time. */
interface Endpoint {
  readonly breaker: EndpointBreaker
  readonly concurrency: AdaptiveConcurrency
}

/** The rows of one call. */
interface Work {
  readonly score: Score
  readonly endpoint: Endpoint
  readonly signal: AbortSignal
  readonly verdicts: Verdict[]
  /** See `Scorer`. */
  readonly known: unknown
  requests: number
  throttles: number
}

export class EndpointScorer implements Scorer {
  readonly #options: EndpointScorerOptions
  readonly #endpoints = new Map<string, Endpoint>()
  /** A row of each score that was answered, by what its features are made with. */
  readonly #answered = new WeakMap<Score['features'], EncodedRow>()

  constructor(options: EndpointScorerOptions) {
    this.#options = options
  }

  async score(
    score: Score,
    features: readonly unknown[],
    signal: AbortSignal,
    known?: unknown,
  ): Promise<readonly Verdict[]> {
    const { now, onScored } = this.#options
    const begun = now()
    const endpoint = this.#endpointOf(score)
    await endpoint.breaker.refresh(begun)
    // Nothing is made ready for an endpoint that is not to be asked.
    if (!endpoint.breaker.mayAsk(begun)) {
      onScored?.({ score: score.name, rows: features.length, ...NOTHING_ASKED })
      return features.map(() => BREAKER_OPEN)
    }
    const verdicts: Verdict[] = features.map(() => NO_TIME)
    const work: Work = { score, endpoint, signal, verdicts, known, requests: 0, throttles: 0 }
    const batches = requestBatches(score, features, (index) => {
      verdicts[index] = { kind: 'unscored', reason: 'FEATURES_INVALID' }
    })
    await Promise.all(batches.map((batch) => this.#settle(batch, work)))
    const { requests, throttles } = work
    const report = { score: score.name, rows: features.length, requests, throttles }
    onScored?.({ ...report, milliseconds: now() - begun, isBreakerOpen: endpoint.breaker.isOpen })
    return verdicts
  }

  /** Gives each row of a request its verdict. Never throws. */
  async #settle(batch: readonly EncodedRow[], work: Work): Promise<void> {
    const { random } = this.#options
    const { endpoint, signal } = work
    for (let attempt = 1; ; attempt++) {
      if (!(await endpoint.concurrency.enter(signal))) return give(batch, NO_TIME, work)
      const fault = await this.#request(batch, work).finally(() => endpoint.concurrency.leave())
      if (fault === undefined) return
      if (signal.aborted) return give(batch, NO_TIME, work)
      if (fault === 'breaker') return give(batch, BREAKER_OPEN, work)
      if (attempt >= ATTEMPTS[fault][batch.length > 1 ? 'several' : 'one']) {
        const verdict = VERDICTS[fault]
        if (verdict.kind === 'unavailable' || batch.length === 1) return give(batch, verdict, work)
        await Promise.all(halves(batch).map((half) => this.#settle(half, work)))
        return
      }
      await rest(retryPause(attempt, random()), signal)
    }
  }

  /** Makes one request. @returns what is wrong with it; `breaker` when the endpoint is not to be asked */
  async #request(batch: readonly EncodedRow[], work: Work): Promise<FaultKind | 'breaker' | undefined> {
    const { now } = this.#options
    const { breaker, concurrency } = work.endpoint
    const begun = now()
    if (!breaker.admits(begun)) return 'breaker'
    try {
      const { predictions, modelVersion } = await this.#predictions(batch, work)
      for (const [i, { index }] of batch.entries())
        work.verdicts[index] = { kind: 'predicted', prediction: predictions[i], modelVersion }
      if (batch[0] !== undefined) this.#answered.set(work.score.features, batch[0])
      concurrency.answered(now() - begun)
      await breaker.answered(now())
      return undefined
    } catch (error) {
      const { kind } = endpointFault(error)
      await this.#tell(kind, begun, work)
      return kind
    }
  }

  /** Tells breaker and concurrency what a request that began then has come to. */
  async #tell(kind: FaultKind, begun: number, work: Work): Promise<void> {
    const { now } = this.#options
    const { signal, endpoint } = work
    const { breaker, concurrency } = endpoint
    const weight = kind === 'late' && breaker.isSilentSince(begun) ? HANGS : WEIGHTS[kind]
    const isDecided = weight !== null && breaker.isDecidedBy(weight)
    const isThere = weight === null || (isDecided && OF_ROWS.has(kind) && (await this.#answersKnown(work)))
    // Given up by us: it says nothing of the endpoint.
    if (signal.aborted) return breaker.abandoned()
    if (kind === 'throttled') {
      work.throttles += 1
      concurrency.throttled(begun, now())
    }
    await (isThere ? breaker.answered(now()) : breaker.failed(weight, now()))
  }

  /** Whether the model answers a row that it has answered before; not when none is known. */
  async #answersKnown(work: Work): Promise<boolean> {
    const { score, known } = work
    const given = known === undefined ? [] : [known]
    const row = this.#answered.get(score.features) ?? requestBatches(score, given, () => {})[0]?.[0]
    if (row === undefined || work.signal.aborted) return false
    return this.#predictions([row], work).then(
      () => true,
      () => false,
    )
  }

  /** @throws EndpointFault, or what the endpoint's client throws */
  async #predictions(batch: readonly EncodedRow[], work: Work) {
    const { score, signal } = work
    work.requests += 1
    const answer = await this.#options.invoke(score, bodyOf(batch, score), signal)
    return { predictions: predictionsOf(score, answer, batch.length), modelVersion: answer.modelVersion }
  }

  #endpointOf({ endpoint }: Score): Endpoint {
    let known = this.#endpoints.get(endpoint)
    if (known === undefined) {
      const breaker = new EndpointBreaker(endpoint, this.#options.memory)
      known = { breaker, concurrency: new AdaptiveConcurrency() }
      this.#endpoints.set(endpoint, known)
    }
    return known
  }
}

function give(batch: readonly EncodedRow[], verdict: Verdict, { verdicts }: Work): void {
  for (const { index } of batch) verdicts[index] = verdict
}
