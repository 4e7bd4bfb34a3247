import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { freePorts, isFree } from '#shared/cli/broker/free-ports.ts'

test('ports differ, and are free', async () => {
  const ports = await freePorts(20)

  expect(new Set(ports).size).toBe(20)
  expect(await Promise.all(ports.map(isFree))).not.toContain(false)
})

test('a port that somebody listens on is not free', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const during = await isFree(port)
  await once(server.close(), 'close')

  expect([during, await isFree(port)]).toEqual([false, true])
})
