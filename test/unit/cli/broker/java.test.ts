import { UsageError } from '#shared/cli/failure.ts'
import { commandFailure, javaVersion } from '#shared/cli/broker/java.ts'

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "25" 2025-09-16', 25],
  ['java version "1.8.0_402"', 8],
  ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21-ea" 2023', 21],
  ['The operation couldn’t be completed.', 0],
])('%s', (text, version) => {
  expect(javaVersion(text)).toBe(version)
})

test.each(['java', 'mvn'])('a missing %s is a matter of the call, with how to get it', (command) => {
  const failure = commandFailure(command, Object.assign(new Error('spawn'), { code: 'ENOENT' }))

  expect(failure).toBeInstanceOf(UsageError)
  expect(failure.message).toMatch(/is not there.*apt install/)
})

test('a failure says what the command calls an error', () => {
  const stdout = '[INFO] Scanning\n[ERROR] Could not find artifact a:b:1\n[INFO] bye\n'

  expect(commandFailure('mvn', { code: 1, stdout }).message).toBe('mvn failed: [ERROR] Could not find artifact a:b:1')
})
