import { TextDictionary } from '#shared/formats/parquet/text-dictionary.ts'

const dictionaryOf = (...texts: readonly string[]): TextDictionary => {
  const dictionary = new TextDictionary()
  for (const text of texts) dictionary.push(text)
  return dictionary
}

test('each text that differs is kept once', () => {
  const dictionary = dictionaryOf('a', 'b', 'a', 'ä', 'b')
  expect([...dictionary.codes]).toEqual([0, 1, 0, 2, 1])
  expect(dictionary.size).toBe(3)
})

test('a text that was taken back is no entry any more, unless it had come before', () => {
  const dictionary = dictionaryOf('a', 'b', 'a')
  dictionary.pop()
  expect(dictionary.size).toBe(2)
  dictionary.pop()
  expect([dictionary.size, dictionary.count]).toEqual([1, 1])
  dictionary.push('c')
  dictionary.push('b')
  expect([...dictionary.codes]).toEqual([0, 1, 2])
  expect([...dictionary.entries().bytes]).toEqual(['a', 'c', 'b'].flatMap((text) => [1, 0, 0, 0, text.charCodeAt(0)]))
})

test('more entries than two bytes can tell', () => {
  const dictionary = dictionaryOf(...Array.from({ length: 70_000 }, (_, i) => String(i)), '69999', '0')
  expect(dictionary.codes.slice(-3)).toEqual(Int32Array.of(69_999, 69_999, 0))
  expect(dictionary.codes.slice(65_534, 65_538)).toEqual(Int32Array.of(65_534, 65_535, 65_536, 65_537))
})

test('memory grows with what differs, and is given back', () => {
  const dictionary = dictionaryOf('a')
  const { memory } = dictionary
  dictionary.push('x'.repeat(1000))
  expect(dictionary.memory).toBeGreaterThanOrEqual(memory + 2000)
  dictionary.pop()
  expect(dictionary.memory).toBe(memory)
})
