import { readFileSync } from 'node:fs'
import path from 'node:path'
import { flights } from '#functions/flights/pipeline.ts'
import { projectRoot } from '#test/helpers/command.ts'
import { deployed } from '#test/helpers/stage.ts'
import { PARAMS } from '../../../infra/stage.ts'

const readme = readFileSync(path.join(projectRoot, 'infra/README.md'), 'utf8')

/** The texts of a section in backquotes. */
function quoted(section: string): string[] {
  const [, text = ''] = readme.split(`## ${section}\n`)
  const [own = ''] = text.split('\n## ')
  return [...own.matchAll(/`(?<text>[^`]+)`/g)].map(({ groups }) => groups?.['text'] ?? '')
}

test('it says of every param what it is for', () => {
  const told = quoted('What a stage can be told')
  expect(PARAMS.filter((param) => !told.includes(param))).toEqual([])
})

test('the alarms that it names are there', () => {
  const trigger = { ...flights.trigger, mode: 'provisioned' as const, failureDestination: 's3://given-up' }
  const alarms = Object.keys(deployed([{ ...flights, trigger }]).resources.Resources).filter((id) =>
    id.endsWith('Alarm'),
  )
  const named = [...readme.matchAll(/alarms? (?<names>[A-Z]\w+(?:(?:, | with )[A-Z]\w+)*)/g)].flatMap(
    ({ groups }) => groups?.['names']?.match(/[A-Z]\w+/g) ?? [],
  )
  expect(named.length).toBeGreaterThan(6)
  const missing = named.filter((name) => !alarms.some((id) => id.endsWith(`${name}Alarm`)))
  expect(missing).toEqual([])
})
