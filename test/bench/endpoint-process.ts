/** An endpoint in a process of its own, so that the CPU time of its model is not that of who asks it. It ends with its standard input. */
import process from 'node:process'
import { EndpointServer } from '#test/helpers/endpoint-server.ts'

const server = await EndpointServer.start((rows) => rows.map((row) => String(row.length / 1000)))
process.stdout.write(`${server.endpoint}\n`)
process.stdin.resume()
process.stdin.on('end', () => process.exit())
