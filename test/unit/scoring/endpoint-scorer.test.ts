import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import type { Score } from '#shared/pipeline/score.ts'
import type { Verdict } from '#shared/pipeline/scorer.ts'
import { breakerMemory } from '#shared/runtimes/scorer.ts'
import { EndpointFault } from '#shared/scoring/endpoint-faults.ts'
import { EndpointScorer, type ScoringReport } from '#shared/scoring/endpoint-scorer.ts'
import { createSageMakerClient, endpointInvoker } from '#shared/scoring/sagemaker-endpoint.ts'
import { EndpointServer, type Misbehaviour, type Model } from '#test/helpers/endpoint-server.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { scoredSensors } from '#test/helpers/scored-sensors.ts'

const servers: EndpointServer[] = []
const clients: SageMakerRuntimeClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

const POISON = 13
const predictionOf = (value: number): string => String(value / 8)
const model: Model = (rows) => (rows.includes(String(POISON)) ? 'fails' : rows.map((row) => predictionOf(Number(row))))

interface Setting {
  readonly server: EndpointServer
  readonly reports: ScoringReport[]
  readonly score: (
    values: readonly number[],
    signal?: AbortSignal,
    known?: readonly number[],
  ) => Promise<readonly Verdict[]>
  readonly pass: (milliseconds: number) => void
}

async function setUp(odds: Misbehaviour = {}, declared: object = {}, seed = 1, asked = model): Promise<Setting> {
  let passed = 0
  const server = await EndpointServer.start(asked, odds, seed)
  servers.push(server)
  const client = createSageMakerClient({
    endpoint: server.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  })
  clients.push(client)
  const [score] = scoredSensors({ batch: { rows: 20 }, ...declared }).scores
  const reports: ScoringReport[] = []
  const scorer = new EndpointScorer({
    invoke: endpointInvoker(client),
    memory: breakerMemory(new MemoryStore()),
    now: () => Date.now() + passed,
    random: () => 0,
    onScored: (report) => reports.push(report),
  })
  const never = new AbortController().signal
  return {
    server,
    reports,
    score: (values, signal = never, known) =>
      scorer.score(
        score as Score,
        values.map((value) => [value]),
        signal,
        known,
      ),
    pass: (milliseconds) => (passed += milliseconds),
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** What was said of each value: its own prediction, or why not. Throws for another row's. */
function said(values: readonly number[], verdicts: readonly Verdict[]): string[] {
  return verdicts.map((verdict, i) => {
    if (verdict.kind !== 'predicted') return verdict.reason
    const { text } = verdict.prediction as { text: string }
    // What is no number never becomes a score.
    if (text === 'NaN' || text === '') return 'none'
    if (text !== predictionOf(values[i] as number)) throw new Error(`row ${i} has the score ${text}`)
    return 'own'
  })
}

test('each row has its own, by as few requests as the limits allow, with the version that answered', async () => {
  const { server, score, reports } = await setUp()
  const values = upTo(50).filter((value) => value !== POISON)
  const verdicts = await score(values)
  expect(new Set(said(values, verdicts))).toEqual(new Set(['own']))
  expect(server.requests.map((rows) => rows.length).sort((a, b) => a - b)).toEqual([9, 20, 20])
  expect(verdicts[0]).toMatchObject({ modelVersion: 'v1' })
  expect(reports).toMatchObject([{ score: 'risk', rows: 49, requests: 3, throttles: 0, isBreakerOpen: false }])
})

test('a row that the model fails with is found, and has no score; all others have theirs', async () => {
  const { server, score } = await setUp()
  const values = upTo(20)
  const verdicts = await score(values)
  expect(said(values, verdicts)).toEqual(values.map((value) => (value === POISON ? 'MODEL_ERROR' : 'own')))
  // 20, then two halves of each that fails, and the row itself once more.
  expect(server.requests.length).toBeLessThanOrEqual(1 + 2 * 5 + 1)
})

test('rows that the model fails with are found when there are no others, for it answers what it has answered before', async () => {
  const { score, reports } = await setUp()
  await score([1, 2, 3])
  const poison = upTo(40).map(() => POISON)
  expect(new Set(said(poison, await score(poison)))).toEqual(new Set(['MODEL_ERROR']))
  expect(reports.at(-1)).toMatchObject({ isBreakerOpen: false })
  expect(said([4], await score([4]))).toEqual(['own'])
})

test('rows that fail alone wait as long as nothing is known that the model has answered', async () => {
  const { server, score, reports, pass } = await setUp()
  // One request holds them: it is the probe.
  const poison = upTo(20).map(() => POISON)
  expect(said(poison, await score(poison))).toContain('BREAKER_OPEN')
  expect(reports.at(-1)).toMatchObject({ isBreakerOpen: true })
  // Of a row that has its score it is known, and then a probe finds out.
  pass(10_000)
  expect(new Set(said(poison, await score(poison, undefined, [5])))).toEqual(new Set(['MODEL_ERROR']))
  expect(reports.at(-1)).toMatchObject({ isBreakerOpen: false })
  expect(server.requests.filter((rows) => rows.includes('5')).length).toBeGreaterThan(0)
})

test('a model that fails with what it has answered before is away: all rows wait, and none is given up', async () => {
  let isBroken = false
  const { server, score, reports } = await setUp({}, {}, 1, (rows) => (isBroken ? 'fails' : model(rows)))
  await score([1, 2, 3])
  isBroken = true
  const values = upTo(400).map((value) => value + 100)
  expect(new Set(said(values, await score(values)))).toEqual(new Set(['BREAKER_OPEN']))
  expect(reports.at(-1)).toMatchObject({ isBreakerOpen: true })
  expect(server.requests.length).toBeLessThan(30)
})

test.each<[string, Misbehaviour, string[]]>([
  ['throttles', { throttles: 0.2 }, ['own']],
  ['connections that close', { closes: 0.05 }, ['own']],
  ['a model that is loading', { notReady: 0.2 }, ['own']],
  ['a service that is away now and then', { unavailable: 0.05 }, ['own']],
  ['a proxy that answers for it', { badGateway: 0.05 }, ['own']],
  ['HTML for an answer', { html: 0.2 }, ['own']],
  ['one prediction less', { oneLess: 0.3 }, ['own']],
])('against %s every row has its own score in the end', async (_name, odds, expected) => {
  const { score, reports } = await setUp(odds, {}, 7)
  const values = upTo(1000).map((value) => value + 100)
  expect([...new Set(said(values, await score(values)))]).toEqual(expected)
  expect(reports[0]?.requests).toBeGreaterThan(50)
})

test('NaN is one row without a score', async () => {
  const { score } = await setUp({ nan: 1 })
  const values = [1, 2, 3]
  expect(said(values, await score(values))).toEqual(['none', 'own', 'own'])
})

test('against always one prediction less no row has another one’s score', async () => {
  const { score } = await setUp({ oneLess: 1 })
  const values = upTo(8)
  // A row that is alone in its request is told that there is none, if the breaker opens only after it was sent.
  const verdicts = new Set(said(values, await score(values)))
  expect(verdicts).toContain('BREAKER_OPEN')
  expect([...verdicts].filter((verdict) => !['BREAKER_OPEN', 'none'].includes(verdict))).toEqual([])
})

test('an answer to one row that has nothing in it is no score', async () => {
  const { score } = await setUp({ oneLess: 1 })
  expect(said([1], await score([1]))).toEqual(['none'])
})

test('a row that gets HTML whenever it is asked for has no score', async () => {
  const { server, score } = await setUp({ html: 1 })
  expect(said([1], await score([1]))).toEqual(['RESPONSE_INVALID'])
  expect(server.requests.length).toBe(4)
})

test('all of that at once, by many seeds: every row is scored, or says why not', async () => {
  const odds = {
    throttles: 0.3,
    sleeps: 0.1,
    sleepMs: 5,
    closes: 0.05,
    oneLess: 0.1,
    nan: 0.1,
    html: 0.05,
    unavailable: 0.05,
  }
  const reasons = new Map<string, number>()
  for (let seed = 1; seed <= 12; seed++) {
    const { score } = await setUp(odds, {}, seed)
    const values = upTo(300)
    for (const one of said(values, await score(values))) reasons.set(one, (reasons.get(one) ?? 0) + 1)
  }
  const known = new Set(['own', 'none', 'MODEL_ERROR', 'RESPONSE_INVALID', 'THROTTLED', 'UNREACHABLE', 'BREAKER_OPEN'])
  expect([...reasons.keys()].filter((reason) => !known.has(reason))).toEqual([])
  expect(reasons.get('own')).toBeGreaterThan(0.8 * 3600)
})

test('an endpoint that is away is asked a few times; then nobody waits for it', async () => {
  const { server, score, reports } = await setUp()
  server.isDown = true
  const values = upTo(400)
  expect(new Set(said(values, await score(values)))).toEqual(new Set(['BREAKER_OPEN']))
  const asked = server.requests.length
  expect(asked).toBeLessThan(12)
  expect(new Set(said(values, await score(values)))).toEqual(new Set(['BREAKER_OPEN']))
  expect(server.requests.length).toBe(asked)
  expect(reports[1]).toMatchObject({ requests: 0, isBreakerOpen: true })
})

test('when the time is over, what has no answer waits, and no request is left behind', async () => {
  const { server, score } = await setUp({ sleeps: 0.5, sleepMs: 60_000 }, {}, 3)
  const time = new AbortController()
  const values = upTo(200).map((value) => value + 100)
  const scoring = score(values, time.signal)
  // A fifth request begins when one of the first four was answered.
  while (server.requests.length < 5) await new Promise((resolve) => setTimeout(resolve, 10))
  time.abort()
  const verdicts = await scoring
  expect(new Set(said(values, verdicts))).toEqual(new Set(['own', 'NO_TIME']))
  const asked = server.requests.length
  expect(new Set(said(values, await score(values, time.signal)))).toEqual(new Set(['NO_TIME']))
  expect(server.requests.length).toBe(asked)
})

test('of an endpoint that hangs one request is waited for, and no more', async () => {
  const { server, score } = await setUp({ sleeps: 1, sleepMs: 60_000 }, { timeoutMs: 100 })
  expect(said([1], await score([1]))).toEqual(['BREAKER_OPEN'])
  expect(server.requests.length).toBeLessThanOrEqual(1)
  expect(said([1], await score([1]))).toEqual(['BREAKER_OPEN'])
  expect(server.requests.length).toBeLessThanOrEqual(1)
})

test('a request that takes too long is made again where others are answered meanwhile', async () => {
  const answered = Promise.withResolvers<void>()
  const asked: string[] = []
  const hanging = (body: string): Promise<never> =>
    answered.promise.then(() => {
      throw new EndpointFault('late', body)
    })
  const [score] = scoredSensors({ batch: { rows: 1 } }).scores as [Score]
  let now = 0
  const scorer = new EndpointScorer({
    invoke: async (_score, body) => {
      asked.push(String(body))
      now += 1
      if (asked.length === 1) return hanging(String(body))
      answered.resolve()
      return { body: Buffer.from('0.5'), contentType: 'text/csv', modelVersion: null }
    },
    memory: breakerMemory(new MemoryStore()),
    now: () => now,
    random: () => 0,
  })
  const verdicts = await scorer.score(score, [[1], [2]], new AbortController().signal)
  expect(verdicts.map(({ kind }) => kind)).toEqual(['predicted', 'predicted'])
  expect(asked).toEqual(['1', '2', '1'])
})
