import process from 'node:process'
import { PowertoolsRescoreTelemetry } from '#shared/runtimes/rescore.ts'

const CONFIG = { logLevel: 'INFO', metricsNamespace: 'Inlet' } as const
const none = { scored: 0, unscored: 0, waiting: 0, files: 0, left: [] }

/** The metrics that an invocation has published. */
function published(invocation: (telemetry: PowertoolsRescoreTelemetry) => void): Record<string, unknown> {
  const lines: string[] = []
  const write = (text: string | Uint8Array): boolean => {
    lines.push(...String(text).split('\n'))
    return true
  }
  Object.defineProperty(process.stdout, 'write', { value: write, configurable: true })
  try {
    const telemetry = new PowertoolsRescoreTelemetry('rescore', CONFIG)
    invocation(telemetry)
    telemetry.end()
  } finally {
    Reflect.deleteProperty(process.stdout, 'write')
  }
  const embedded = lines.find((line) => line.includes('"_aws"')) ?? '{}'
  return JSON.parse(embedded) as Record<string, unknown>
}

test('rows that wait are those of all pipelines: one where none waits does not hide the others from the alarm', () => {
  const told = published((telemetry) => {
    telemetry.rescored('first', { ...none, waiting: 5, scored: 1 })
    telemetry.rescored('second', { ...none, scored: 2 })
  })
  expect(told).toMatchObject({ 'waiting rows': 5, 'rescored rows': 3, 'unscored rows': 0, 'files left': 0 })
})

test('an invocation in which nothing waits says so, and one that could not look says nothing', () => {
  expect(published((telemetry) => telemetry.rescored('first', none))).toMatchObject({ 'waiting rows': 0 })
  const failed = published((telemetry) => telemetry.failure('first', new Error('denied')))
  expect(failed).toMatchObject({ 'rescore failed': 1 })
  expect(failed).not.toHaveProperty('waiting rows')
})
