import { Works } from '#shared/runtimes/container-works.ts'

class Broken extends Error {}

function works() {
  const told: string[] = []
  const clock = { now: 0 }
  const rules = {
    now: () => clock.now,
    pause: (failures: number) => failures * 100,
    canRetry: (error: unknown) => !(error instanceof Broken),
    onFault: ({ message }: Error, pauseMs: number) => void told.push(`${message} ${pauseMs}`),
    onHealed: () => void told.push('healed'),
  }
  return { works: new Works(rules), told, clock }
}

const fail = (message: string) => () => Promise.reject(new Error(message))

test('a subject has one work at a time', async () => {
  const { works: all } = works()
  const begun: string[] = []
  let end = (): void => {}
  all.begin('a', () => {
    begun.push('first')
    return new Promise((resolve) => (end = resolve))
  })
  all.begin('a', async () => void begun.push('second'))
  all.begin('b', async () => void begun.push('of another'))
  expect(begun).toEqual(['first', 'of another'])
  end()
  await all.settled()
  all.begin('a', async () => void begun.push('third'))
  expect(begun).toEqual(['first', 'of another', 'third'])
})

test('what fails waits, longer each time, until it has worked', async () => {
  const { works: all, told, clock } = works()
  all.begin('a', fail('no'))
  await all.settled()
  expect([all.isTroubled, all.isBusy('a'), all.isBusy('b')]).toEqual([true, true, false])
  clock.now = 100
  expect(all.isBusy('a')).toBe(false)
  all.begin('a', fail('no'))
  await all.settled()
  clock.now = 300
  all.begin('a', async () => {})
  await all.settled()
  expect(told).toEqual(['no 100', 'no 200', 'healed'])
  expect(all.isTroubled).toBe(false)
})

test('nobody waits for a subject to heal that is no concern any more', async () => {
  const { works: all, told } = works()
  const [lost, kept] = [{}, {}]
  all.begin(lost, fail('no'))
  await all.settled()
  all.forget(lost)
  expect(all.isTroubled).toBe(false)
  all.beginAll([lost, kept], fail('of both'))
  await all.settled()
  expect([all.isTroubled, all.isBusy(kept)]).toEqual([true, true])
  all.forget(kept)
  all.begin(lost, fail('of nobody'))
  await all.settled()
  expect(all.isTroubled).toBe(false)
  expect(told).toEqual(['no 100', 'healed', 'of both 100', 'healed'])
})

test('what cannot heal is thrown, and not tried again', async () => {
  const { works: all, told } = works()
  all.begin('a', () => Promise.reject(new Broken('for ever')))
  await all.settled()
  await expect(all.next(10)).rejects.toThrow('for ever')
  expect(told).toEqual([])
})

test('next ends with the work, however late it is called', async () => {
  const { works: all } = works()
  all.begin('a', async () => {})
  await all.settled()
  // Were the end of the work forgotten, this would wait for an hour.
  await expect(all.next(3_600_000)).resolves.toBeUndefined()
  setTimeout(() => all.wake(), 5)
  await expect(all.next(3_600_000)).resolves.toBeUndefined()
})
