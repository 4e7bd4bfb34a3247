import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import process from 'node:process'
import type { Context } from 'aws-lambda'
import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { linkTraces, sampledParents } from '#shared/runtimes/trace-links.ts'
import { kafkaRecord } from '#test/helpers/kafka-record.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const PARENT = `00-${TRACE}-${SPAN}-01`

const directory = temporaryDirectory()

/** One record for each header. */
const slice = (...values: readonly string[]) => ({
  topic: 'sensors',
  partition: 0,
  records: values.map((value) =>
    kafkaRecord('', { headers: [{ name: 'traceparent', value: new TextEncoder().encode(value) }] }),
  ),
})

test.each<[string, string, boolean]>([
  ['sampled', PARENT, true],
  ['sampled, with other flags', `00-${TRACE}-${SPAN}-03`, true],
  ['not sampled', `00-${TRACE}-${SPAN}-02`, false],
  ['of a later version, with more behind it', `01-${TRACE}-${SPAN}-01-more`, true],
  ['of this version, with more behind it', `${PARENT}-more`, false],
  ['of no version', `ff-${TRACE}-${SPAN}-01`, false],
  ['with longer flags', `${PARENT}1`, false],
  ['of no trace', `00-${'0'.repeat(32)}-${SPAN}-01`, false],
  ['of no span', `00-${TRACE}-${'0'.repeat(16)}-01`, false],
  ['in capitals', PARENT.toUpperCase(), false],
  ['empty', '', false],
])('a record with a traceparent that is %s', (_, header, isLinked) => {
  expect(sampledParents([slice(header)])).toEqual(isLinked ? [{ traceId: TRACE, spanId: SPAN }] : [])
})

test('a batch is linked with each trace once, and with no more than 32', () => {
  const of = (n: number) => `00-${n.toString(16).padStart(32, '0')}-${SPAN}-01`
  expect(sampledParents([slice(PARENT, PARENT), slice(PARENT)])).toHaveLength(1)
  const many = Array.from({ length: 100 }, (__, n) => of(n + 1))
  expect(sampledParents([slice(...many.slice(0, 20)), slice(...many)])).toHaveLength(32)
})

describe('the daemon beside a function', () => {
  let daemon: Socket
  beforeEach(async () => {
    daemon = createSocket('udp4')
    daemon.bind(0, '127.0.0.1')
    await once(daemon, 'listening')
  })
  afterEach(() => daemon.close())

  const address = () => `127.0.0.1:${daemon.address().port}`
  const invocation = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0'

  test('is told of a batch that a deployed pipeline lands, with the traces that its records come from', async () => {
    const event = sensorEvent([reading(1), reading(2)]) as { records: Record<string, { headers: object[] }[]> }
    for (const records of Object.values(event.records))
      for (const record of records) record.headers.push({ traceparent: [...Buffer.from(PARENT)] })
    const kept = { ...process.env }
    Object.assign(process.env, {
      LAKE_URL: `file:${directory()}`,
      POWERTOOLS_LOG_LEVEL: 'SILENT',
      POWERTOOLS_METRICS_DISABLED: 'true',
      _X_AMZN_TRACE_ID: invocation,
      AWS_XRAY_DAEMON_ADDRESS: address(),
    })
    const told = once(daemon, 'message') as Promise<[Buffer]>
    try {
      await lambdaHandler(sensors)(event, { getRemainingTimeInMillis: () => 60_000 } as Context)
    } finally {
      process.env = kept
    }
    const [head, body] = String((await told)[0]).split('\n')
    expect(head).toBe('{"format":"json","version":1}')
    expect(JSON.parse(body ?? '')).toEqual({
      type: 'subsegment',
      id: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      trace_id: '1-5759e988-bd862e3fe1be46a994272793',
      parent_id: '53995c3f42cd8ad8',
      name: 'sensors',
      start_time: expect.any(Number) as number,
      end_time: expect.any(Number) as number,
      annotations: { pipeline: 'sensors', topic: 'sensors' },
      links: [{ trace_id: `1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}`, id: SPAN }],
    })
  })

  test.each<[string, object, string]>([
    ['the invocation is not sampled', { _X_AMZN_TRACE_ID: invocation.replace('Sampled=1', 'Sampled=0') }, PARENT],
    ['there is no invocation', { _X_AMZN_TRACE_ID: undefined }, PARENT],
    ['no record comes from a trace', {}, 'none'],
  ])('hears nothing when %s', async (_, environment, header) => {
    const heard: Buffer[] = []
    daemon.on('message', (message) => heard.push(message))
    const batch = { pipeline: 'p', topic: 't', partitions: [slice(header)], began: 0, ended: 1, failed: true }
    const usual = { _X_AMZN_TRACE_ID: invocation, AWS_XRAY_DAEMON_ADDRESS: address() }
    await linkTraces(batch, { ...usual, ...environment })
    // What is sent after it arrives after it.
    await linkTraces({ ...batch, partitions: [slice(PARENT)] }, usual)
    while (heard.length === 0) await once(daemon, 'message')
    expect(heard.map(String)).toEqual([expect.stringContaining('"fault":true')])
  })

  test('may be away', async () => {
    const batch = { pipeline: 'p', topic: 't', partitions: [slice(PARENT)], began: 0, ended: 1, failed: false }
    const nowhere = { _X_AMZN_TRACE_ID: invocation, AWS_XRAY_DAEMON_ADDRESS: 'nowhere.invalid:2000' }
    await expect(linkTraces(batch, nowhere)).resolves.toBeUndefined()
  })
})
