import fc from 'fast-check'
import type { Column } from '#shared/pipeline/columns.ts'
import { lockFor, withFieldIds } from '#shared/pipeline/field-ids.ts'
import { lockText, NO_LOCK, parseLock, type TableLock } from '#shared/pipeline/table-lock.ts'
import { arbitraryColumns } from '#test/helpers/arbitrary-tables.ts'

const text = (path: readonly string[]): string => JSON.stringify(path)

/** The locks of a table whose columns change again and again, each made of the one before; changes that are refused are left out. */
function locksOf(versions: readonly (readonly Column[])[]): TableLock[] {
  const locks: TableLock[] = []
  for (const columns of versions) {
    try {
      locks.push(lockFor({ columns, partitionSpec: [] }, locks.at(-1) ?? NO_LOCK))
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('cannot become')) throw error
    }
  }
  return locks
}

const versions = fc.array(arbitraryColumns({ depth: 2, precision: 38, milliseconds: false }), {
  minLength: 1,
  maxLength: 8,
})

test('whatever becomes of a table, an id is of one field only, and of the same one in every lock', () => {
  fc.assert(
    fc.property(versions, (all) => {
      const owners = new Map<number, string>()
      const locks = locksOf(all)
      for (const [i, lock] of locks.entries()) {
        const fields = [...lock.columns, ...lock.retired]
        expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length)
        for (const { id, path } of fields) {
          // Code that is rolled back writes by an older lock: it must mean the same by it.
          expect(owners.get(id) ?? text(path)).toBe(text(path))
          owners.set(id, text(path))
        }
        expect(lock.lastColumnId).toBe(Math.max(0, ...owners.keys()))
        const before = locks[i - 1] ?? NO_LOCK
        expect(lock.revision).toBe(before.revision + (before === lock ? 0 : 1))
      }
    }),
  )
})

test('a retired id never comes back, and a field that was optional once stays so', () => {
  fc.assert(
    fc.property(versions, (all) => {
      const retired = new Set<number>()
      const optional = new Set<number>()
      for (const lock of locksOf(all)) {
        for (const { id, required } of lock.columns) {
          expect(retired.has(id)).toBe(false)
          expect(required && optional.has(id)).toBe(false)
          if (!required) optional.add(id)
        }
        for (const { id } of lock.retired) retired.add(id)
      }
    }),
  )
})

test('a lock survives its file, fits its table, and needs no change', () => {
  fc.assert(
    fc.property(versions, (all) => {
      for (const columns of all) {
        const table = { columns, partitionSpec: [] }
        const lock = parseLock(JSON.parse(lockText(lockFor(table))))
        expect(lockFor(table, lock)).toBe(lock)
        expect(withFieldIds(table, lock).map(({ name }) => name)).toEqual(columns.map(({ name }) => name))
      }
    }),
  )
})
