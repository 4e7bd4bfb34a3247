import { CommitLog } from '#shared/lake/commit-log.ts'
import { logPrefix, parseDataFileKey } from '#shared/lake/log-keys.ts'
import { LogStore } from '#shared/lake/log-store.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { ID, memoryLog, once } from '#test/helpers/memory-log.ts'
import type { Interceptor, MemoryStore, StoreCall } from '#test/helpers/memory-store.ts'
import { range, writeOffsets } from '#test/helpers/slices.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const { store, land, chain, read } = memoryLog()
const LOG = logPrefix(ID)

/** A view of the store whose calls are noted, by operation and the part of the lake that they are for. */
function watched(calls: string[]): MemoryStore {
  return store().through(async (call, effect) => {
    calls.push(`${call.operation} ${partOf(call)}`)
    return effect()
  })
}

function partOf({ key }: StoreCall): string {
  if (key.startsWith(LOG)) return key.slice(LOG.length).split('/')[0] ?? ''
  return key.includes('/endings/') ? 'endings' : 'data'
}

/** What lets through all calls but those of one operation on a part of the lake. */
function interceptor(operation: string, part: string, intercept: Interceptor): Interceptor {
  return (call, effect) =>
    call.operation === operation && partOf(call) === part ? intercept(call, effect) : Promise.resolve(effect())
}

describe('races', () => {
  test('a put that worked, but which the client sent twice, is its own', async () => {
    const twice = interceptor('putIfAbsent', 'commits', async (_call, effect) => {
      effect()
      return effect()
    })
    const landing = await land([0, 1], { log: new CommitLog(store().through(twice), ID) })
    expect(landing).toMatchObject({ known: 0, contents: [{ counts: { records: 2 } }] })
    expect(await chain()).toHaveLength(1)
  })

  test('who loses a commit looks again and writes files anew for the next place', async () => {
    const log = new CommitLog(store().through(before('commits', () => land([0, 1, 2]))), ID)
    const { known, contents } = await land([2, 3], { log })
    expect(known).toBe(1)
    expect((await chain()).map(({ covered }) => covered)).toEqual([[[0, 2]], [[3, 3]]])
    expect(contents.map(({ files }) => parseDataFileKey(files[0]?.path ?? '')?.place)).toEqual([
      { kind: 'commit', start: 3 },
    ])
    expect(await read('rows')).toEqual(once(0, 1, 2, 3))
    expect(await keysOf(store(), 'tables/')).toHaveLength(3)
  })

  test('who loses an amendment looks again and fills what is left', async () => {
    await land([0, 5])
    const log = new CommitLog(store().through(before('amendments', () => land([1, 2]))), ID)
    expect(await land([2, 3], { log })).toMatchObject({ known: 1, contents: [{ number: 1, covered: [[3, 3]] }] })
    expect(await read('rows')).toEqual(once(0, 1, 2, 3, 5))
  })

  test('who finds nothing left after a lost race has landed nothing', async () => {
    const log = new CommitLog(store().through(before('commits', () => land([0, 1]))), ID)
    expect(await land([0, 1], { log })).toEqual({ known: 2, contents: [] })
  })

  /** Has something happen right before the first entry of a kind is put. */
  function before(part: string, happening: () => Promise<unknown>): Interceptor {
    let isFirst = true
    return interceptor('putIfAbsent', part, async (_call, effect) => {
      if (isFirst) await happening()
      isFirst = false
      return effect()
    })
  }
})

describe('the order of writes', () => {
  test('files are durable before the commit that names them', async () => {
    const calls: string[] = []
    await land([0, 1], { log: new CommitLog(watched(calls), ID), write: writeOffsets([1]) })
    expect(calls).toEqual([
      'list commits',
      'put announced',
      'get endings',
      'put data',
      'put data',
      'putIfAbsent commits',
    ])
  })

  test('a marker for each table is there before the amendment is', async () => {
    await land([0, 3])
    const calls: string[] = []
    await land([1, 2], { log: new CommitLog(watched(calls), ID), write: writeOffsets([2]) })
    expect(calls).toEqual([
      'list commits',
      'get commits',
      'list commits',
      'list amendments',
      'put data',
      'put data',
      'put dirty',
      'put dirty',
      'putIfAbsent amendments',
    ])
    const markers = new LogStore(store(), ID)
    expect(await markers.markers('rows')).toEqual([{ amends: 0, number: 0 }])
    expect(await markers.markers('dead_letters')).toEqual([{ amends: 0, number: 0 }])
  })

  test('an amendment gets no marker for a table that it does not touch', async () => {
    await land([0, 3])
    await land([1])
    expect(await new LogStore(store(), ID).markers('dead_letters')).toEqual([])
  })

  test.each([
    ['put', 'data'],
    ['put', 'dirty'],
    ['putIfAbsent', 'amendments'],
  ])('if a %s of %s fails, nothing is landed, and the same writer may try again', async (operation, part) => {
    await land([0, 3])
    let isDown = true
    const outage = interceptor(operation, part, async (_call, effect) => {
      if (isDown) throw new InletError('STORE_UNAVAILABLE', 'it is down')
      return effect()
    })
    const log = new CommitLog(store().through(outage), ID)
    await expect(land([1], { log })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await chain())[0]?.amendments).toEqual([])
    isDown = false
    expect(await land([1], { log })).toMatchObject({ known: 0, contents: [{ covered: [[1, 1]] }] })
  })
})

describe('a warm writer', () => {
  test('lists nothing while its commit is the newest', async () => {
    const calls: string[] = []
    const log = new CommitLog(watched(calls), ID)
    await land([0, 1], { log })
    calls.length = 0
    await land([2, 3], { log })
    expect(calls).toEqual(['put data', 'putIfAbsent commits'])
  })

  test('asks about what is before its newest commit', async () => {
    const log = new CommitLog(store(), ID)
    await land([0, 1], { log })
    await land([2, 3], { log })
    expect(await land([0, 1], { log })).toEqual({ known: 2, contents: [] })
  })

  test('finds out that others have gone on', async () => {
    const log = new CommitLog(store(), ID)
    await land([0, 1], { log })
    await land([2, 3])
    await land([4, 5])
    expect(await land([3, 4, 5, 6], { log })).toMatchObject({ known: 3, contents: [{ covered: [[6, 6]] }] })
    expect(await read('rows')).toEqual(once(...range(0, 6)))
  })
})
