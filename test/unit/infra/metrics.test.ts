import process from 'node:process'
import type { Context } from 'aws-lambda'
import { committerHandler } from '#shared/runtimes/committer.ts'
import { lambdaHandler } from '#shared/runtimes/lambda.ts'
import { applyTables } from '#shared/lake/pipeline-tables.ts'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import { openCatalog } from '#shared/lake/iceberg/open-catalog.ts'
import { locked } from '#test/helpers/lake-table.ts'
import { reading, sensorEvent, sensors } from '#test/helpers/sensors.ts'
import { deployed, stage } from '#test/helpers/stage.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'
import { metricsNamespace } from '../../../infra/metrics.ts'

const directory = temporaryDirectory()
const pipeline = locked(sensors)
const context = { functionName: 'f', getRemainingTimeInMillis: () => 60_000 } as Context

/** A metric by namespace, service and name. */
type Name = string

/** A log line that CloudWatch makes metrics of ("Specification: Embedded metric format"). */
interface Embedded {
  readonly service: string
  readonly _aws?: { readonly CloudWatchMetrics: readonly { Namespace: string; Metrics: readonly { Name: string }[] }[] }
}

/** What the functions publish when they land, refuse, fail and commit. */
async function published(): Promise<Set<Name>> {
  const folder = directory()
  const kept = { ...process.env }
  const lines: string[] = []
  const listen = (text: string | Uint8Array): boolean => {
    lines.push(...String(text).split('\n'))
    return true
  }
  const streams = [process.stdout, process.stderr]
  for (const stream of streams) Object.defineProperty(stream, 'write', { value: listen, configurable: true })
  Object.assign(process.env, {
    LAKE_URL: `file:${folder}`,
    POWERTOOLS_METRICS_NAMESPACE: metricsNamespace(stage()),
  })
  try {
    await lambdaHandler(pipeline)(sensorEvent([reading(1), '{', reading(0)]), context)
    const commit = () => committerHandler([pipeline])({}, context)
    await commit().catch(() => {})
    const store = new DirectoryStore(folder)
    await applyTables({ store, tables: openCatalog('directory', store), now: Date.now }, pipeline)
    await commit()
  } finally {
    process.env = kept
    // What the streams inherit is theirs again.
    for (const stream of streams) Reflect.deleteProperty(stream, 'write')
  }
  return new Set(
    lines.filter((line) => line.includes('"_aws"')).flatMap((line) => namesIn(JSON.parse(line) as Embedded)),
  )
}

function namesIn({ service, _aws }: Embedded): Name[] {
  return (_aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Metrics }) =>
    Metrics.map(({ Name }) => [Namespace, service, Name].join(' ')),
  )
}

/** What alarms and the dashboard look at, of the functions' own metrics. */
function watched(): Set<Name> {
  const { Resources } = deployed([pipeline]).resources
  const alarms = JSON.stringify(Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm'))
  const inAlarms = alarms.matchAll(
    /"Namespace":"(?<space>Inlet[^"]*)","MetricName":"(?<name>[^"]+)","Dimensions":\[\{"Name":"service","Value":"(?<service>[^"]+)"/g,
  )
  const body = JSON.stringify(Resources['Dashboard']?.Properties['DashboardBody']).replaceAll('\\"', '"')
  const onDashboard = body.matchAll(/\["(?<space>Inlet[^"]*)","(?<name>[^"]+)","service","(?<service>[^"]+)"/g)
  return new Set(
    [...inAlarms, ...onDashboard].map(({ groups }) =>
      [groups?.['space'], groups?.['service'], groups?.['name']].join(' '),
    ),
  )
}

test('alarms and dashboard look at nothing but what the functions publish', async () => {
  const [said, looked] = [await published(), watched()]
  expect([...looked].filter((name) => !said.has(name))).toEqual([])
  expect(looked).toContain('Inlet/inlet-dev sensors freshness')
  expect(looked).toContain('Inlet/inlet-dev sensors rejected')
  expect(looked).toContain('Inlet/inlet-dev committer commit failed')
})
