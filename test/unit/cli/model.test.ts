import { modelDeclaration } from '#shared/cli/model/declaration.ts'
import { isNewEnough } from '#shared/cli/model/python.ts'
import { trainingPage } from '#shared/cli/model/training-page.ts'

const TRAINING = {
  version: 'flight-delay-0a1b',
  auc: 0.9,
  aucOfDepartureDelay: 0.88,
  logLoss: 0.3,
  logLossOfBaseRate: 0.6,
  lateShare: 0.25,
  flights: { learned: 3000, heldOut: 1000 },
  days: { learned: 24, heldOut: 7 },
  folder: 'model',
  archive: 'model/model.tar.gz',
}

test('the model is that of one pipeline', async () => {
  expect(await modelDeclaration('flights')).toMatchObject({ endpoint: 'flight-delay', target: 'arrivalDelayMinutes' })
  await expect(modelDeclaration('clicks')).rejects.toThrow('no model is made for "clicks"')
})

test('Python is new enough from 3.11 on', () => {
  const versions = ['Python 3.11.7', 'Python 3.13.0', 'Python 4.0.0', 'Python 3.10.13', 'Python 2.7.18', 'python?']
  expect(versions.map(isNewEnough)).toEqual([true, true, true, false, false, false])
})

test('a model that is no better than its baseline is said to be none', () => {
  const better = trainingPage(TRAINING)
  expect(better).toContain('3,000 flights of 24 days; held out are the 1,000 of the last 7, of which 25.0% were late')
  expect(better).toContain('better than their departure delay does, by 0.0200')
  expect(trainingPage({ ...TRAINING, auc: 0.87 })).toContain('no better than their departure delay does (-0.0100)')
})
