import { Breaker } from '#shared/scoring/breaker.ts'

function opened(now = 1000): Breaker {
  const breaker = new Breaker()
  breaker.failed(10, now)
  return breaker
}

test('so much in a row opens it, and an answer in between begins anew', () => {
  const breaker = new Breaker()
  expect(breaker.failed(9, 0)).toBe(false)
  expect(breaker.answered(0)).toBe(false)
  expect(breaker.failed(9, 0)).toBe(false)
  expect(breaker.state.isOpen).toBe(false)
  expect(breaker.failed(1, 7)).toBe(true)
  expect(breaker.state).toEqual({ isOpen: true, since: 7, probeAt: 5007 })
})

test('it knows whether anything was answered since a request began', () => {
  const breaker = new Breaker()
  expect(breaker.isSilentSince(0)).toBe(true)
  breaker.answered(5)
  expect([breaker.isSilentSince(5), breaker.isSilentSince(6)]).toEqual([false, true])
})

test('while it is open one probe at a time is let through, when it is time', () => {
  const breaker = opened()
  expect(breaker.admits(5999)).toBe(false)
  expect(breaker.admits(6000)).toBe(true)
  expect(breaker.admits(6000)).toBe(false)
  breaker.abandoned()
  expect(breaker.admits(6000)).toBe(true)
})

test('a probe that fails doubles the pause up to five minutes, one that is answered closes it', () => {
  const breaker = opened(0)
  const pauses: number[] = []
  for (let now = 5000; pauses.length < 8; now = breaker.state.probeAt) {
    expect(breaker.admits(now)).toBe(true)
    expect(breaker.failed(2, now)).toBe(false)
    pauses.push((breaker.state.probeAt - now) / 1000)
  }
  expect(pauses).toEqual([10, 20, 40, 80, 160, 300, 300, 300])
  expect(breaker.admits(breaker.state.probeAt)).toBe(true)
  expect(breaker.answered(9e6)).toBe(true)
  expect(breaker.admits(9e6)).toBe(true)
  breaker.failed(10, 9e6)
  expect(breaker.state.probeAt).toBe(9e6 + 5000)
})

test('requests that were under way when it opened do not put off the probe', () => {
  const breaker = opened(0)
  breaker.failed(2, 4000)
  expect(breaker.state.probeAt).toBe(5000)
})

test('what another process found out is adopted', () => {
  const breaker = opened(0)
  breaker.adopt({ isOpen: false, since: 1, probeAt: 1 })
  expect(breaker.admits(2)).toBe(true)
  expect(breaker.failed(9, 2)).toBe(false)
})

test('which failure decides: the one that opens it, and every one while it is open, whoever opened it', () => {
  const breaker = opened(0)
  breaker.adopt({ isOpen: false, since: 1, probeAt: 1 })
  breaker.failed(4, 2)
  expect([breaker.isDecidedBy(5), breaker.isDecidedBy(6)]).toEqual([false, true])
  breaker.adopt({ isOpen: true, since: 3, probeAt: 8 })
  expect(breaker.isDecidedBy(1)).toBe(true)
})
