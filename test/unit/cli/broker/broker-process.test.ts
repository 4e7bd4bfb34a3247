import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import process from 'node:process'
import { brokerFault, brokerPid, isBrokerCommand, stopBroker } from '#shared/cli/broker/broker-process.ts'
import { ClusterFolder } from '#shared/cli/broker/cluster-layout.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const COMMAND = 'java -Xmx256m -cp /jars/* kafka.Kafka /a/broker-1/server.properties'

test.each([
  ['the broker', COMMAND, true],
  ['the broker, as Linux ends the line', `${COMMAND} `, true],
  ['another broker', COMMAND.replace('broker-1', 'broker-11'), false],
  ['the broker of another cluster', COMMAND.replace(' /a/', ' /b/a/'), false],
  ['an editor of its settings', 'vi /a/broker-1/server.properties', false],
  ['nothing', '', false],
])('the command line of %s', (_, command, expected) => {
  expect(isBrokerCommand(command, '/a/broker-1/server.properties')).toBe(expected)
})

describe('a number in a pid file', () => {
  const directory = temporaryDirectory()
  const folder = async (pid: string): Promise<ClusterFolder> => {
    const cluster = new ClusterFolder(directory())
    await mkdir(cluster.broker(1).folder)
    await writeFile(cluster.broker(1).pid, pid)
    return cluster
  }

  test.each(['', '0', '1', '-5', 'x', '4194304999'])('that is no process of ours: %p', async (text) => {
    expect(await brokerPid(await folder(text), 1)).toBeNull()
  })

  test('of another process: it is not stopped', async () => {
    const sleeper = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
    await once(sleeper, 'spawn')
    try {
      const stopped = await stopBroker(await folder(String(sleeper.pid)), 1)
      const [isThere] = [sleeper.exitCode === null && sleeper.signalCode === null]

      expect([stopped, isThere]).toEqual([false, true])
    } finally {
      sleeper.kill('SIGKILL')
      await once(sleeper, 'exit')
    }
  })

  test('of a process that is a broker: it is stopped, at last by force', async () => {
    const cluster = await folder('')
    const stubborn = "process.on('SIGTERM', () => {}); console.log('ready'); setTimeout(() => {}, 60000)"
    const broker = spawn(process.execPath, ['-e', stubborn, 'kafka.Kafka', cluster.broker(1).properties])
    await once(broker.stdout, 'data')
    await writeFile(cluster.broker(1).pid, String(broker.pid))
    const ended = once(broker, 'exit')
    const stopped = await stopBroker(cluster, 1)

    expect(stopped).toBe(true)
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(await brokerPid(cluster, 1)).toBeNull()
  })
})

test.each([
  [
    'the exception behind the first error',
    `2026-11-23 10:00:00,000 WARN careful (kafka.X)
2026-11-23 10:00:00,001 ERROR Exiting Kafka due to fatal exception (kafka.Kafka$)
java.lang.RuntimeException: Stored node id 7 doesn't match
\tat kafka.Kafka$.main(Kafka.scala:1)
Caused by: java.io.IOException: something deeper`,
    "java.lang.RuntimeException: Stored node id 7 doesn't match",
  ],
  [
    'the error where nothing was thrown',
    '2026 ERROR no room (kafka.X)\n2026 INFO bye (kafka.X)',
    '2026 ERROR no room (kafka.X)',
  ],
  [
    'what Java says',
    'Error: Could not find or load main class kafka.Kafka',
    'Error: Could not find or load main class kafka.Kafka',
  ],
  ['the last word where nothing is an error', 'one\ntwo\n\n', 'two'],
  ['that there is none', '', 'it said nothing'],
])('the fault of a log is %s', (_, log, fault) => {
  expect(brokerFault(log)).toBe(fault)
})
