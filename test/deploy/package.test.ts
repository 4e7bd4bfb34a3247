import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ServerlessProject } from '#test/helpers/serverless-project.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()

/** Loaded by every process of Node before anything else: what asks for a network is noted, and refused. */
const NO_NETWORK = `
const { appendFileSync } = require('node:fs')
const refuse = (what) => {
  appendFileSync(process.env.ASKED, what + '\\n')
  throw new Error('there is no network: ' + what)
}
const net = require('node:net')
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...args) {
  const [options] = args.flat()
  return typeof options?.path === 'string' ? connect.apply(this, args) : refuse('connect ' + JSON.stringify(options))
}
const dns = require('node:dns')
dns.lookup = (host) => refuse('look up ' + host)
dns.promises.lookup = async (host) => refuse('look up ' + host)
`

/** A project, and what a process of it is told that has neither a network nor credentials. */
function offline() {
  const preload = path.join(directory(), 'no-network.cjs')
  const asked = path.join(directory(), 'asked')
  writeFileSync(preload, NO_NETWORK)
  const environment = {
    ASKED: asked,
    NODE_OPTIONS: `--require=${preload}`,
    // No profiles, and what is no process of Node's is sent to where nobody answers.
    HOME: directory(),
    HTTP_PROXY: 'http://127.0.0.1:9',
    HTTPS_PROXY: 'http://127.0.0.1:9',
  }
  const project = new ServerlessProject(path.join(directory(), 'project'))
  return { project, environment, asked: () => (existsSync(asked) ? readFileSync(asked, 'utf8') : '') }
}

test('`package` needs neither credentials nor a network', () => {
  const { project, environment, asked } = offline()
  const { status, said } = project.serverless(['package', '--package', '.package'], environment)
  expect({ status, said: status === 0 ? '' : said, asked: asked() }).toEqual({ status: 0, said: '', asked: '' })
  const template = readFileSync(path.join(project.root, '.package/cloudformation-template-update-stack.json'), 'utf8')
  expect(template).toContain('"AWS::Lambda::EventSourceMapping"')
})

test('what would ask for one is seen', () => {
  const { project, environment, asked } = offline()
  const credentials = { AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing', AWS_MAX_ATTEMPTS: '1' }
  expect(project.serverless(['info'], { ...environment, ...credentials }).status).not.toBe(0)
  expect(asked()).toMatch(/^connect .*"port":9\b|amazonaws\.com/m)
})

test('a contract that its table cannot follow is refused, with the difference named once', () => {
  const { project, environment } = offline()
  project.edit('functions/flights/pipeline.ts', '  distanceMiles: z.int32(),\n})', '  distanceMiles: z.string(),\n})')
  project.edit(
    'functions/flights/pipeline.ts',
    'distanceMiles: e.distanceMiles',
    'distanceMiles: String(e.distanceMiles)',
  )
  const { status, said } = project.serverless(['package', '--package', '.package'], environment)
  expect(status).not.toBe(0)
  expect(said.match(/distanceMiles/g)).toHaveLength(1)
  expect(said).toMatch(/functions\/flights\/pipeline.ts: pipeline flights: .*distanceMiles/)
  expect(said).not.toMatch(/\n +at /)
})
