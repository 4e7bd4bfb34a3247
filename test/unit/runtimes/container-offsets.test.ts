import { GroupOffsets } from '#shared/runtimes/container-offsets.ts'
import { Works } from '#shared/runtimes/container-works.ts'

/** A group that takes offsets one call after the other, when it is told to. */
class SlowGroup {
  readonly calls: Record<number, number>[] = []
  readonly #waiting: ((error?: Error) => void)[] = []

  commit(offsets: ReadonlyMap<number, number>): Promise<void> {
    this.calls.push(Object.fromEntries(offsets))
    return new Promise((resolve, reject) => {
      this.#waiting.push((error) => (error === undefined ? resolve() : reject(error)))
    })
  }

  answer(error?: Error): void {
    this.#waiting.shift()?.(error)
  }
}

function offsetsOf(group: SlowGroup): { offsets: GroupOffsets; works: Works; faults: string[] } {
  const faults: string[] = []
  const works = new Works({
    now: () => 0,
    pause: () => 0,
    canRetry: () => true,
    onFault: ({ message }) => faults.push(message),
    onHealed: () => {},
  })
  return { offsets: new GroupOffsets(group, works), works, faults }
}

test('the group is told of all that has landed at once, and nothing twice', async () => {
  const group = new SlowGroup()
  const { offsets, works } = offsetsOf(group)
  expect(offsets.isTold).toBe(true)
  offsets.begin()
  offsets.landed(0, 10)
  offsets.landed(1, 20)
  offsets.begin()
  offsets.begin()
  expect(group.calls).toEqual([{ 0: 10, 1: 20 }])
  group.answer()
  await works.settled()
  expect(offsets.isTold).toBe(true)
})

test('what lands while it is told is told next, and what was refused again', async () => {
  const group = new SlowGroup()
  const { offsets, works, faults } = offsetsOf(group)
  offsets.landed(0, 10)
  offsets.landed(1, 20)
  offsets.begin()
  offsets.landed(0, 11)
  group.answer()
  await works.settled()
  expect(offsets.isTold).toBe(false)
  offsets.begin()
  group.answer(new Error('on the move'))
  await works.settled()
  expect(faults).toEqual(['on the move'])
  offsets.begin()
  group.answer()
  await works.settled()
  expect(group.calls).toEqual([{ 0: 10, 1: 20 }, { 0: 11 }, { 0: 11 }])
  expect(offsets.isTold).toBe(true)
})

test('nothing is told of a partition that is another consumer’s by now', () => {
  const group = new SlowGroup()
  const { offsets } = offsetsOf(group)
  offsets.landed(0, 10)
  offsets.landed(1, 20)
  offsets.lost(0)
  offsets.begin()
  expect(group.calls).toEqual([{ 1: 20 }])
})
