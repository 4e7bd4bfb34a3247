import { failuresHere, requirePlainRecords } from '#shared/cli/outside-lambda.ts'
import { defineTrigger, type TriggerOptions } from '#shared/pipeline/trigger.ts'
import { sensors } from '#test/helpers/sensors.ts'

const reader = (trigger: TriggerOptions) => ({ ...sensors, trigger: defineTrigger(trigger) })

test('who reads a topic itself is not given records that only Lambda decodes', () => {
  expect(() => requirePlainRecords(reader({}))).not.toThrow()
  const decoded = reader({ mode: 'provisioned', schemaRegistry: { uri: 'https://schemas.example' } })
  expect(() => requirePlainRecords(decoded)).toThrow('the records of sensors are decoded by a schema registry')
})

test('batches that are given up go where it is said, or into the bucket that is declared', () => {
  expect(failuresHere(reader({}))).toBeNull()
  expect(failuresHere(reader({ failureDestination: 's3://failed' }))).toBe('s3://failed')
  expect(failuresHere(reader({ failureDestination: 's3://failed' }), '.failed')).toBe('.failed')
  const topic = reader({ mode: 'provisioned', failureDestination: 'kafka://failed' })
  expect(() => failuresHere(topic)).toThrow('sensors gives records up to a topic, which only Lambda does: --failures')
  expect(failuresHere(topic, '.failed')).toBe('.failed')
})
