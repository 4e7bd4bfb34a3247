/**
 * Loaded before the command by each of several processes that write to one lake (`node --import`), so that they race however
 * fast or slow the machine is: the first commit of any is held until all are about to put one, with all that they need loaded,
 * read and written; and whoever has landed something goes on when another has, too.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { DirectoryStore } from '#shared/lake/directory-store.ts'
import type { ObjectStore } from '#shared/lake/object-store.ts'
import { S3Store } from '#shared/lake/s3-store.ts'

/** What the test sets: a folder of this race, and how many take part. */
const { RACE_FOLDER: folder = '', RACERS: racers = '' } = process.env
/** As long as a loaded machine may take to start all of them. */
const WITHIN_MS = 180_000

for (const { prototype } of [DirectoryStore, S3Store]) race(prototype)

function race(store: ObjectStore): void {
  const putIfAbsent: ObjectStore['putIfAbsent'] = Reflect.get(store, 'putIfAbsent')
  let ready: Promise<void> | undefined
  let landed: Promise<void> | undefined
  store.putIfAbsent = async function (...call) {
    if (!call[0].includes('/commits/')) return putIfAbsent.apply(this, call)
    await (ready ??= reach('ready', Number(racers)))
    await landed
    const result = await putIfAbsent.apply(this, call)
    if (result === 'created') landed ??= reach('landed', 2)
    return result
  }
}

/** Says that this process is at a point of the race, and waits until so many are. */
async function reach(point: string, count: number): Promise<void> {
  const place = path.join(folder, point)
  await mkdir(place, { recursive: true })
  await writeFile(path.join(place, `${process.pid}`), '')
  for (let waited = 0; (await readdir(place)).length < count; waited += 5) {
    if (waited > WITHIN_MS) throw new Error(`only ${(await readdir(place)).length} of ${count} are ${point}`)
    await sleep(5)
  }
}
