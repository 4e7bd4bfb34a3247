import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { ScratchFolder } from '#shared/runtimes/container-scratch.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
/** No process can have it: it is above what Linux and macOS give. */
const NOBODY = 2 ** 30

test('what ended processes have left is removed at the start, what others use stays, and its own goes at the end', async () => {
  for (const name of [
    `inlet-scratch-${NOBODY}`,
    `inlet-scratch-${process.ppid}`,
    'else',
    `inlet-scratch-${process.pid}`,
  ])
    await mkdir(path.join(directory(), name, 'within'), { recursive: true })
  const scratch = await ScratchFolder.make(directory())
  expect((await readdir(directory())).sort()).toEqual(
    ['else', `inlet-scratch-${process.ppid}`, `inlet-scratch-${process.pid}`].sort(),
  )
  expect(await readdir(scratch.path)).toEqual([])
  await scratch.remove()
  expect(await readdir(directory())).not.toContain(`inlet-scratch-${process.pid}`)
})

test('files grow at their ends, in the order of the calls, and are counted', async () => {
  const scratch = await ScratchFolder.make(directory())
  const [one, other] = [scratch.newFile(), scratch.newFile()]
  const parts = Array.from({ length: 50 }, (_, i) => Buffer.alloc(1000 - i, i))
  await Promise.all(parts.map((part) => one.append(part)))
  await other.append(Buffer.from('x'))
  expect(Buffer.compare(await one.read(), Buffer.concat(parts))).toBe(0)
  expect([one.bytes, scratch.bytes]).toEqual([Buffer.concat(parts).length, Buffer.concat(parts).length + 1])
  await one.remove()
  expect([one.bytes, scratch.bytes, (await readdir(scratch.path)).length]).toEqual([0, 1, 1])
})
