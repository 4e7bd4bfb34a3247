import { WaitingBatches } from '#shared/runtimes/waiting-batches.ts'
import { failedBatch } from '#test/helpers/failed-batches.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { reading, sensorEvent } from '#test/helpers/sensors.ts'

const isOwn = (name: string): boolean => name === 'inlet-dev-sensors'

async function prepared(...batches: readonly { key: string; body: string }[]) {
  const store = new MemoryStore()
  for (const { key, body } of batches) await store.put(key, Buffer.from(body))
  const calls: string[] = []
  const watched = store.through((call, effect) => {
    calls.push(`${call.operation} ${call.key}`)
    return Promise.resolve(effect())
  })
  return { store, calls, waiting: new WaitingBatches(watched, 'sensors', isOwn) }
}

test('a batch waits with the time of its youngest record, and is read once', async () => {
  const batch = failedBatch(sensorEvent([reading(1), reading(2)], 0, 40))
  const { store, calls, waiting } = await prepared(batch)
  const expected = [{ key: batch.key, kafkaTime: 1_700_000_000_041 }]
  expect(await waiting.list()).toEqual(expected)
  expect(await waiting.list()).toEqual(expected)
  expect(calls.filter((call) => call.startsWith('get'))).toHaveLength(1)
  await store.delete(batch.key)
  expect(await waiting.list()).toEqual([])
})

test('batches of another function, or of another topic, are nothing to wait for', async () => {
  const foreign = failedBatch(sensorEvent([reading(1)]), 'inlet-dev-others')
  const event = JSON.parse(JSON.stringify(sensorEvent([reading(1)])).replaceAll('"sensors', '"others')) as unknown
  const { waiting } = await prepared(foreign, failedBatch(event))
  expect(await waiting.list()).toEqual([])
})

test('what cannot be read may be of any time; what Lambda did not put there is nothing', async () => {
  const { waiting } = await prepared({ key: 'aws/lambda/x', body: '{' }, { key: 'notes.txt', body: '{' })
  expect(await waiting.list()).toEqual([{ key: 'aws/lambda/x', kafkaTime: null }])
})
