import { CsvText, SCORE_CODECS } from '#shared/pipeline/score-codec.ts'

const csv = SCORE_CODECS['text/csv']
const json = SCORE_CODECS['application/json']
const lines = SCORE_CODECS['application/jsonlines']
const bytes = (text: string): Uint8Array => Buffer.from(text)
const row = (codec: typeof csv, features: unknown) => codec.encodeRow(features as never)

test('CSV quotes what needs it, and null is an empty field', () => {
  expect(row(csv, [1, -0.5, 1e21, 'a,b', 'say "x"', 'two\nlines', null, true, false])).toBe(
    '1,-0.5,1e+21,"a,b","say ""x""","two\nlines",,1,0',
  )
  expect(csv.encodeBody(['1', '2'])).toBe('1\n2')
})

test.each([[Number.NaN], [Number.POSITIVE_INFINITY]])('%p is no feature in any format', (value) => {
  expect(() => row(csv, [value])).toThrow(`a feature is ${value}`)
  expect(() => row(json, { a: [value] })).toThrow(`a feature is ${value}`)
  expect(() => row(lines, [value])).toThrow(`a feature is ${value}`)
})

test('what is undefined, or no list where CSV needs one, is refused', () => {
  expect(() => row(csv, [undefined])).toThrow('a feature is undefined')
  expect(() => row(csv, { a: 1 })).toThrow('CSV needs the features as a list')
  expect(() => row(json, { a: undefined })).toThrow('a feature is undefined')
})

test('JSON instances, and JSON lines', () => {
  const rows = [row(json, { a: 1 }), row(json, [null, 'ü'])]
  expect(json.encodeBody(rows)).toBe('{"instances":[{"a":1},[null,"ü"]]}')
  expect(lines.encodeBody(rows)).toBe('{"a":1}\n[null,"ü"]')
})

test('answers: a prediction a line, a last line end is none of them, an empty line is', () => {
  expect(csv.decode(bytes('0.1\r\n"x ""y"""\n\n0.2,0.3\n'))).toEqual([
    new CsvText('0.1'),
    new CsvText('x "y"'),
    new CsvText(''),
    [new CsvText('0.2'), new CsvText('0.3')],
  ])
  expect(lines.decode(bytes('0.1\n{"score":2}\n'))).toEqual([0.1, { score: 2 }])
  expect(json.decode(bytes('[1,2]'))).toEqual([1, 2])
  expect(json.decode(bytes('{"predictions":[[1],[2]]}'))).toEqual([[1], [2]])
})

test('a comma within quotes is of the text, not between two predictions', () => {
  expect(csv.decode(bytes('"late, very",0.9\n 0.1 , "a ""b"", c" \n"x,y"\n'))).toEqual([
    [new CsvText('late, very'), new CsvText('0.9')],
    [new CsvText('0.1'), new CsvText('a "b", c')],
    new CsvText('x,y'),
  ])
})

test('what is no answer is refused', () => {
  expect(() => json.decode(bytes('<html></html>'))).toThrow(SyntaxError)
  expect(() => json.decode(bytes('{"error":"x"}'))).toThrow('expected a list of predictions')
  expect(() => lines.decode(bytes('0.1\n<html>'))).toThrow(SyntaxError)
  expect(() => csv.decode(new Uint8Array([0xff]))).toThrow('not valid')
})
