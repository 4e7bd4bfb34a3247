import { KafkaError } from '#shared/sources/kafka-faults.ts'
import { RecordBatch } from '#shared/sources/record-batch.ts'

const record = (text: string) => ({ key: null, value: Buffer.from(text) })

test('records are told where they are, from the offset of the first', async () => {
  const batch = new RecordBatch(3)
  const sent = ['a', 'b', 'c'].map((text) => batch.add(record(text)))
  batch.accept(40)
  await expect(Promise.all(sent)).resolves.toEqual([
    { partition: 3, offset: 40 },
    { partition: 3, offset: 41 },
    { partition: 3, offset: 42 },
  ])
})

test('what is refused is refused to all', async () => {
  const batch = new RecordBatch(0)
  const sent = ['a', 'b'].map((text) => batch.add(record(text)))
  batch.refuse(new KafkaError('BROKER_BUSY', 'busy'))
  await expect(Promise.allSettled(sent)).resolves.toMatchObject([
    { status: 'rejected', reason: { fault: 'BROKER_BUSY' } },
    { status: 'rejected', reason: { fault: 'BROKER_BUSY' } },
  ])
})

test('halves hold the same records, in their order, and those who wait for them', async () => {
  const batch = new RecordBatch(1)
  const sent = ['a', 'b', 'c'].map((text) => batch.add(record(text)))
  const [first, second] = batch.halves() ?? []
  expect([first, second].map((half) => half?.messages('t').map(({ value }) => String(value)))).toEqual([
    ['a', 'b'],
    ['c'],
  ])
  expect((first?.bytes ?? 0) + (second?.bytes ?? 0)).toBe(batch.bytes)
  expect(second?.halves()).toBeNull()
  second?.accept(9)
  first?.accept(5)
  const positions = await Promise.all(sent)
  expect(positions.map(({ offset }) => offset)).toEqual([5, 6, 9])
})

test('a batch is full by its bytes or by its records', () => {
  const batch = new RecordBatch(0)
  void batch.add({
    key: Buffer.from('k'),
    value: Buffer.alloc(1000),
    headers: [{ name: 'n', value: Buffer.alloc(10) }],
  })
  expect([batch.isFull(1000), batch.isFull(1100)]).toEqual([true, false])
  for (let i = 1; i < 9999; i++) void batch.add(record(''))
  expect(batch.isFull(Number.POSITIVE_INFINITY)).toBe(false)
  void batch.add(record(''))
  expect(batch.isFull(Number.POSITIVE_INFINITY)).toBe(true)
})

test('a tombstone has no value, a record without a key no key, and names of headers may be there twice', () => {
  const batch = new RecordBatch(2)
  const headers = [
    { name: 'trace', value: Buffer.from('a') },
    { name: 'trace', value: Buffer.from('b') },
  ]
  void batch.add({ key: Buffer.from('k'), value: null, headers })
  void batch.add({ key: null, value: new Uint8Array([1, 2, 3]).subarray(1) })
  const [tombstone, plain] = batch.messages('t')
  expect(tombstone).toMatchObject({ topic: 't', partition: 2, key: Buffer.from('k') })
  expect(tombstone).not.toHaveProperty('value')
  expect([...(tombstone?.headers ?? [])].map(String)).toEqual(['trace,a', 'trace,b'])
  expect(plain).toEqual({ topic: 't', partition: 2, value: Buffer.from([2, 3]) })
})
