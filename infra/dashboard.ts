import type { Pipeline } from '#shared/pipeline/pipeline.ts'
import type { Resource, Value } from './cloudformation.ts'
import {
  committerMetric,
  functionMetric,
  type Metric,
  pipelineMetric,
  rescoreMetric,
  triggerMetric,
} from './metrics.ts'
import type { StageSettings } from './stage.ts'

/** Of the 24 columns that a dashboard has. */
const WIDTH = 6
const HEIGHT = 6

type Statistic = 'Sum' | 'Maximum' | 'p99'
type Widget = { readonly [key: string]: Value }
type Line = readonly [metric: Metric, statistic: Statistic, label: string]

/** A page of CloudWatch: the committer's row, then a row for each pipeline, from what comes in to what is refused. */
export function dashboard(settings: StageSettings, pipelines: readonly Pipeline[]): Resource {
  const rows = [
    committerRow(settings),
    ...pipelines.flatMap((pipeline) => [pipelineRow(settings, pipeline), ...scoreRows(settings, pipeline)]),
  ]
  const widgets = rows.flatMap((row, y) =>
    row.map((widget, x) => ({ ...widget, x: x * WIDTH, y: y * HEIGHT, width: WIDTH, height: HEIGHT })),
  )
  const [body, names] = substituted({ widgets })
  return {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: { DashboardName: settings.stack, DashboardBody: { 'Fn::Sub': [body, names] } },
  }
}

function pipelineRow(settings: StageSettings, pipeline: Pipeline): Widget[] {
  const { name, trigger } = pipeline
  const count = (of: Parameters<typeof pipelineMetric>[2]): Line => [pipelineMetric(settings, pipeline, of), 'Sum', of]
  const given: Line[] =
    trigger.mode === 'provisioned' ? [[triggerMetric(pipeline, 'DroppedEventCount'), 'Sum', 'dropped']] : []
  return [
    graph(`${name}: records`, [count('records'), count('written'), count('skipped'), count('known')]),
    graph(`${name}: refused and failed`, [count('rejected'), count('failed'), ...given]),
    graph(`${name}: lag and freshness`, [
      [functionMetric(name, 'OffsetLag'), 'Maximum', 'records behind'],
      [pipelineMetric(settings, pipeline, 'freshness'), 'p99', 'ms to the commit, p99'],
    ]),
    graph(`${name}: function`, [
      [functionMetric(name, 'Duration'), 'p99', 'ms, p99'],
      [functionMetric(name, 'Errors'), 'Sum', 'errors'],
      [functionMetric(name, 'Throttles'), 'Sum', 'throttles'],
    ]),
  ]
}

/** What becomes of the rows of a pipeline with scores. */
function scoreRows(settings: StageSettings, pipeline: Pipeline): Widget[][] {
  const { name, scores } = pipeline
  if (scores.length === 0) return []
  const metric = (of: Parameters<typeof pipelineMetric>[2], statistic: Statistic, label: string): Line => [
    pipelineMetric(settings, pipeline, of),
    statistic,
    label,
  ]
  const rescored = (of: Parameters<typeof rescoreMetric>[1]): Line => [rescoreMetric(settings, of), 'Maximum', of]
  return [
    [
      graph(`${name}: scores`, [
        metric('scored', 'Sum', 'scored'),
        metric('waiting', 'Sum', 'waiting'),
        metric('unscored', 'Sum', 'without a score'),
      ]),
      graph(`${name}: milliseconds a row`, [metric('score latency', 'p99', 'ms, p99')]),
      graph(`${name}: endpoint`, [
        metric('breaker open', 'Maximum', 'taken to be away'),
        metric('score throttles', 'Sum', 'throttles'),
      ]),
      graph('rows scored later', [rescored('rescored rows'), rescored('waiting rows')]),
    ],
  ]
}

function committerRow(settings: StageSettings): Widget[] {
  const count = (of: Parameters<typeof committerMetric>[1]): Line => [committerMetric(settings, of), 'Sum', of]
  return [
    graph('committer: rows into snapshots', [count('committed rows')]),
    graph('committer: commits and files', [count('committed entries'), count('committed files')]),
    graph('committer: failed', [count('commit failed'), [functionMetric('committer', 'Errors'), 'Sum', 'runs']]),
    graph('committer: time', [
      [functionMetric('committer', 'Duration'), 'p99', 'ms of a run, p99'],
      [committerMetric(settings, 'commit waited'), 'Maximum', 'ms that a commit waited'],
    ]),
  ]
}

function graph(title: string, lines: readonly Line[]): Widget {
  const metrics = lines.map(([{ Namespace, MetricName, Dimensions }, stat, label]) => [
    Namespace,
    MetricName,
    ...Dimensions.flatMap((dimension) => [dimension.Name, dimension.Value]),
    { stat, label },
  ])
  const region = { Ref: 'AWS::Region' }
  return { type: 'metric', properties: { title, metrics, region, period: 60, view: 'timeSeries' } }
}

/** JSON whose references are names in braces, for `Fn::Sub`, and what these stand for. */
function substituted(body: Value): [json: string, names: { readonly [name: string]: Value }] {
  const names: Record<string, Value> = {}
  const json = JSON.stringify(body, (_key, value: Value) => {
    const reference = (value as { readonly Ref?: string } | null)?.Ref
    if (typeof reference !== 'string') return value
    const name = reference.replaceAll('::', '')
    names[name] = value
    return `\${${name}}`
  })
  return [json, names]
}
