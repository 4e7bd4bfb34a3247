import { flights } from '#functions/flights/pipeline.ts'
import { scoredFlights } from '#functions/flights/scored.ts'
import { modelDeclaration } from '#shared/cli/model/declaration.ts'

const [score] = scoredFlights.scores
const features = score?.features as (row: object) => readonly unknown[] | null

const ROW = {
  carrier: 'UA',
  origin: 'EWR',
  destination: 'IAH',
  scheduledAt: new Date('2013-01-01T10:15:00Z'),
  distanceMiles: 1400,
  departureDelayMinutes: 2,
  arrivalDelayMinutes: 11,
}

test('the model is sent the columns that it was trained on, in their order', async () => {
  const declaration = await modelDeclaration('flights')
  expect(score?.endpoint).toBe(declaration.endpoint)
  const sent = Object.entries(ROW).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value])
  const columns = Object.fromEntries(sent) as Record<string, unknown>
  expect(features(ROW)).toEqual(declaration.features.map((name) => columns[name]))
})

test('nothing is sent that is known after the departure, and nothing of a flight that has none', async () => {
  const { features: columns, target } = await modelDeclaration('flights')
  expect(columns).not.toContain(target)
  expect(features({ ...ROW, arrivalDelayMinutes: 999 })).toEqual(features(ROW))
  expect(features({ ...ROW, departureDelayMinutes: null })).toBeNull()
})

test('every column of the flights is there, and those of the score', () => {
  const names = flights.table.columns.map(({ name }) => name).filter((name) => !name.startsWith('_'))
  const scored = scoredFlights.table.columns.map(({ name }) => name).filter((name) => !name.startsWith('_'))
  expect(scored).toEqual([...names, 'delayScore', 'delayModel'])
})
