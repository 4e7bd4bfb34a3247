import path from 'node:path'
import { inlet } from '#test/helpers/command.ts'
import { temporaryDirectory } from '#test/helpers/temporary-directory.ts'

const directory = temporaryDirectory()
const EVENTS = ['--events', 'events/flights/batch.json', '--json']

test('a replay lands beside what is there; an interrupted one goes on; another begins the next generation', async () => {
  const lake = ['--lake', path.join(directory(), 'lake')]
  const { stdout } = await inlet(['run', 'flights', ...EVENTS, ...lake])
  const { rows, records } = JSON.parse(stdout) as { rows: number; records: number }
  expect(rows).toBeGreaterThan(5)
  const first = await inlet(['replay', 'flights', ...EVENTS, ...lake])
  expect(JSON.parse(first.stdout)).toMatchObject({ generation: 1, table: 'flights_g1', rows, known: 0 })
  const again = await inlet(['replay', 'flights', '--generation', '1', ...EVENTS, ...lake])
  expect(JSON.parse(again.stdout)).toMatchObject({ generation: 1, rows: 0, known: records })
  const wrong = await inlet(['replay', 'flights', '--generation', '3', ...EVENTS, ...lake])
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('was never begun; the lake has 0, 1') })
  const second = await inlet(['replay', 'flights', '--events', 'events/flights/batch.json', ...lake])
  expect(second.stdout).toContain('declare generation: 2')

  const sql = `SELECT (SELECT count(*)::INT FROM flights) AS a, (SELECT count(*)::INT FROM flights_g1) AS b,
    (SELECT count(*)::INT FROM flights_g2) AS c`
  const answer = await inlet(['query', sql, '--json', ...lake])
  expect(JSON.parse(answer.stdout)).toEqual([{ a: rows, b: rows, c: rows }])
  expect(await inlet(['verify', ...lake])).toMatchObject({ code: 0 })
})
