/**
 * A writer in a process of its own: `put-if-absent.ts <store> <name> <key>…`. Says "ready", waits for its input to end,
 * puts its name at each key, if absent, all at once, and prints the keys that it was given.
 */
import process from 'node:process'
import { openStore } from '#shared/lake/open-store.ts'

const [url = '', name = '', ...keys] = process.argv.slice(2)
const store = openStore(url)
process.stdout.write('ready\n')
for await (const _ of process.stdin) continue
const results = await Promise.all(keys.map((key) => store.putIfAbsent(key, Buffer.from(name))))
process.stdout.write(JSON.stringify(keys.filter((_, i) => results[i] === 'created')))
