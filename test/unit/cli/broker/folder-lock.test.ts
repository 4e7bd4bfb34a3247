import { access, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { withLock } from '#shared/cli/broker/folder-lock.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const lock = (): string => path.join(directory(), 'lock')

test('one at a time: the second is told who is at it', async () => {
  await withLock(lock(), async () => {
    await expect(withLock(lock(), () => Promise.resolve())).rejects.toThrow(`process ${process.pid}`)
    // The refused one has not taken it away.
    expect(await readFile(lock(), 'utf8')).toBe(String(process.pid))
  })
})

test('it is free again after work that fails', async () => {
  await expect(withLock(lock(), () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  await expect(access(lock())).rejects.toThrow('ENOENT')
})

test.each(['', 'x', '4194304999'])('a lock that nobody holds is taken: %p', async (holder) => {
  await writeFile(lock(), holder)

  expect(await withLock(lock(), () => readFile(lock(), 'utf8'))).toBe(String(process.pid))
})
