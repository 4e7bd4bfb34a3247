import { randomUUID } from 'node:crypto'
import { LocatedStore } from '#shared/lake/iceberg/located-store.ts'
import { PointerCatalog, type PointerService, type TablePointer } from '#shared/lake/iceberg/pointer-catalog.ts'
import type { CommitOutcome, LoadedTable } from '#shared/lake/iceberg/table-catalog.ts'
import { createTable, type TableMetadata, withProperties } from '#shared/lake/iceberg/table-metadata.ts'
import { InletError } from '#shared/pipeline/errors.ts'
import { always } from '#test/helpers/columns.ts'
import { lockedTable } from '#test/helpers/iceberg-table.ts'
import { MemoryStore } from '#test/helpers/memory-store.ts'
import { keysOf } from '#test/helpers/stored-keys.ts'

const { lock } = lockedTable('t', [always('n', 'int64')])
const LOST = new InletError('STORE_UNAVAILABLE', 'the answer is lost')

/** Keeps pointers in memory, and does with each change what the test plans. */
class MemoryPointers implements PointerService<TablePointer> {
  readonly tables = new Map<string, TablePointer>()
  /** What the next change comes to: it is done, or not, and answered, or not. */
  plan: (change: () => CommitOutcome) => CommitOutcome | Promise<CommitOutcome> = (change) => change()
  #tokens = 0

  find(table: string): Promise<TablePointer | undefined> {
    return Promise.resolve(this.tables.get(table))
  }

  async place(table: string, location: string): Promise<CommitOutcome> {
    return this.plan(() => this.#set(table, undefined, location))
  }

  async move(table: string, from: TablePointer, location: string): Promise<CommitOutcome> {
    return this.plan(() => this.#set(table, from.token, location))
  }

  #set(table: string, token: string | undefined, location: string): CommitOutcome {
    if (this.tables.get(table)?.token !== token) return 'conflict'
    this.tables.set(table, { location, token: String(++this.#tokens) })
    return 'committed'
  }

  /** A change by somebody who has nothing to do with versions: a comment, say. */
  touch(table: string): void {
    const { location = '' } = this.tables.get(table) ?? {}
    this.tables.set(table, { location, token: String(++this.#tokens) })
  }
}

let pointers: MemoryPointers
let store: MemoryStore
let catalog: PointerCatalog<TablePointer>
beforeEach(() => {
  pointers = new MemoryPointers()
  store = new MemoryStore()
  const files = new LocatedStore(store)
  catalog = new PointerCatalog(pointers, () => files)
})

const first = (properties: Record<string, string> = {}): TableMetadata =>
  createTable({ uuid: randomUUID(), location: 'memory:/tables/t', lock, properties, now: 1 })
let changes = 0
const changed = ({ metadata }: LoadedTable): TableMetadata => withProperties(metadata, { change: `${changes++}` }, 2)

async function load(): Promise<LoadedTable> {
  const loaded = await catalog.load('t')
  if (loaded === undefined) throw new Error('there is no table')
  return loaded
}

async function created(properties: Record<string, string> = {}): Promise<LoadedTable> {
  expect(await catalog.create('t', first(properties))).toBe('committed')
  return load()
}

/** Commits that others make, one behind the other. */
async function others(commits: number): Promise<void> {
  const { plan } = pointers
  pointers.plan = (change) => change()
  for (let i = 0; i < commits; i++) {
    const base = await load()
    expect(await catalog.commit('t', base, changed(base))).toBe('committed')
  }
  pointers.plan = plan
}

const keys = (): Promise<string[]> => keysOf(store, '')

test('versions follow one another, each under a number and a name of its own', async () => {
  const metadata = first()
  expect(await catalog.create('t', metadata)).toBe('committed')
  const base = await load()
  expect(base).toMatchObject({ metadata, token: '1' })
  const next = changed(base)
  expect(await catalog.commit('t', base, next)).toBe('committed')
  const after = await load()
  expect(after.metadata).toEqual({
    ...next,
    'metadata-log': [{ 'metadata-file': base.location, 'timestamp-ms': metadata['last-updated-ms'] }],
  })
  expect(await keys()).toEqual([
    expect.stringMatching(/^tables\/t\/metadata\/00000-[0-9a-f-]{36}\.metadata\.json$/),
    expect.stringMatching(/^tables\/t\/metadata\/00001-[0-9a-f-]{36}\.metadata\.json$/),
  ])
})

test.each([
  ['s3://b/t/metadata/00041-0a1b.metadata.json', '00042'],
  ['s3://b/t/metadata/123456-0a1b.gz.metadata.json', '123457'],
  ['s3://b/t/metadata/v7.metadata.json', '00008'],
  ['s3://b/2-t/metadata/snap.metadata.json', '00000'],
])('behind %s comes %s', async (location, number) => {
  const { metadata, token } = await created()
  pointers.tables.set('t', { location, token })
  expect(await catalog.commit('t', { metadata, token, location }, metadata)).toBe('committed')
  expect(pointers.tables.get('t')?.location).toContain(`/metadata/${number}-`)
})

test('a version of what is no longer current is a conflict, and nothing is written for it', async () => {
  const base = await created()
  await others(1)
  const before = await keys()
  expect(await catalog.commit('t', base, changed(base))).toBe('conflict')
  expect(await keys()).toEqual(before)
  // Not by its token alone: a table that was made anew may come to the same one.
  const now = await load()
  expect(await catalog.commit('t', { ...now, location: base.location }, changed(now))).toBe('conflict')
  pointers.tables.delete('t')
  expect(await catalog.commit('t', now, changed(now))).toBe('conflict')
})

test('a race that is lost behind the first look', async () => {
  const base = await created()
  pointers.plan = async (change) => {
    await others(1)
    return change()
  }
  expect(await catalog.commit('t', base, changed(base))).toBe('conflict')
})

describe('what has become of a change', () => {
  test.each([0, 1, 3])('done, and told to be a conflict, with %i commits behind it', async (behind) => {
    const base = await created()
    pointers.plan = async (change): Promise<CommitOutcome> => {
      change()
      await others(behind)
      return 'conflict'
    }
    expect(await catalog.commit('t', base, changed(base))).toBe('committed')
  })

  test.each([0, 1, 3])('done, and not told, with %i commits behind it', async (behind) => {
    const base = await created()
    pointers.plan = async (change): Promise<CommitOutcome> => {
      change()
      await others(behind)
      throw LOST
    }
    expect(await catalog.commit('t', base, changed(base))).toBe('committed')
  })

  test('not done, and not told: it may still be under way', async () => {
    const base = await created()
    pointers.plan = () => {
      throw LOST
    }
    await expect(catalog.commit('t', base, changed(base))).rejects.toBe(LOST)
  })

  test('not done, not told, and never to be done: others were first', async () => {
    const base = await created()
    pointers.plan = async () => {
      await others(1)
      throw LOST
    }
    expect(await catalog.commit('t', base, changed(base))).toBe('conflict')
    pointers.plan = () => {
      pointers.touch('t')
      throw LOST
    }
    const now = await load()
    expect(await catalog.commit('t', now, changed(now))).toBe('conflict')
  })

  test('refused, though nothing has changed, or the table is gone', async () => {
    const base = await created()
    pointers.plan = () => 'conflict'
    expect(await catalog.commit('t', base, changed(base))).toBe('conflict')
    pointers.plan = () => {
      pointers.tables.delete('t')
      return 'conflict'
    }
    expect(await catalog.commit('t', base, changed(base))).toBe('conflict')
  })

  test('a table that was made anew in between does not have it', async () => {
    const base = await created()
    pointers.plan = async (change) => {
      expect(change()).toBe('committed')
      pointers.tables.delete('t')
      pointers.plan = (other) => other()
      await catalog.create('t', first())
      throw LOST
    }
    expect(await catalog.commit('t', base, changed(base))).toBe('conflict')
  })

  test('a log that does not go back far enough tells nothing', async () => {
    const base = await created({ 'write.metadata.previous-versions-max': '1' })
    pointers.plan = async (change): Promise<CommitOutcome> => {
      change()
      await others(2)
      return 'conflict'
    }
    await expect(catalog.commit('t', base, changed(base))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/^cannot tell whether .*00001-.* was part of memory:\/tables\/t/),
    })
  })

  test('when the look fails as well, the first fault is told', async () => {
    const base = await created()
    pointers.plan = () => {
      pointers.find = () => Promise.reject(new Error('another'))
      throw LOST
    }
    await expect(catalog.commit('t', base, changed(base))).rejects.toBe(LOST)
  })
})

describe('what has become of a table that is made', () => {
  test('it is there: by its id, whatever has followed', async () => {
    const metadata = first({ 'write.metadata.previous-versions-max': '1' })
    pointers.plan = async (change): Promise<CommitOutcome> => {
      change()
      await others(3)
      return 'conflict'
    }
    expect(await catalog.create('t', metadata)).toBe('committed')
  })

  test('another is there, or none', async () => {
    pointers.plan = () => {
      throw LOST
    }
    await expect(catalog.create('t', first())).rejects.toBe(LOST)
    pointers.plan = (change) => change()
    await created()
    expect(await catalog.create('t', first())).toBe('conflict')
    pointers.plan = () => {
      throw LOST
    }
    expect(await catalog.create('t', first())).toBe('conflict')
    pointers.tables.delete('t')
    pointers.plan = () => 'conflict'
    expect(await catalog.create('t', first())).toBe('conflict')
  })
})
