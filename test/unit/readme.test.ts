import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { projectRoot } from '#test/helpers/command.ts'

const readme = readFileSync(path.join(projectRoot, 'README.md'), 'utf8')
const scripts = (JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { scripts: object })
  .scripts

/** The rows of the table of guarantees, each with what shows it. */
const guarantees = readme
  .slice(readme.indexOf('## What is guaranteed'), readme.indexOf('Not guaranteed:'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| guaranteed') && !line.startsWith('| ---'))
  .map((line) => line.slice(2, -2).split(' | ') as [string, string])

test('there are guarantees', () => {
  expect(guarantees.length).toBeGreaterThan(10)
})

test.each(guarantees)('guaranteed: %s', (_, shownBy) => {
  const tests = [...shownBy.matchAll(/`(?<file>[^`]+)`/g)].map(({ groups }) => groups?.['file'] ?? '')
  expect(tests).not.toEqual([])
  expect(tests.filter((file) => !existsSync(path.join(projectRoot, file)))).toEqual([])
})

test('every npm script and every file that it names exists', () => {
  const named = [...readme.matchAll(/npm run (?:-s )?(?<script>[a-z:]+)/g)].map(
    ({ groups }) => groups?.['script'] ?? '',
  )
  expect(named.filter((script) => !(script in scripts))).toEqual([])
  const files = [...readme.matchAll(/`(?<file>(?:shared|functions|test|events|infra)\/[\w./-]+\.\w+)`/g)]
  const missing = files
    .map(({ groups }) => groups?.['file'] ?? '')
    .filter((file) => !existsSync(path.join(projectRoot, file)))
  expect(missing).toEqual([])
})
