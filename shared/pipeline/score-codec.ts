/**
 * How rows become the body of a request to an endpoint, and its answer becomes predictions, one for each row (Amazon SageMaker
 * Developer Guide, "Common data formats for inference"). What the bytes mean is agreed with the model's container.
 */

/** A value that CSV and JSON can carry. */
export type FeatureValue = number | string | boolean | null

/** Features in the order that the model wants them. */
export type FeatureList = readonly FeatureValue[]

/** Features as JSON carries them: in their order, or by their names. */
export type JsonFeatures =
  | FeatureList
  | { readonly [name: string]: FeatureValue | JsonFeatures | readonly JsonFeatures[] }

/** What an endpoint is asked and answers in a format of its own. Pure: the same features are the same bytes. */
export interface ScoreCodec<Features = unknown> {
  readonly contentType: string
  /** What the answer is asked to be; the content type unless said otherwise. */
  readonly accept?: string
  /** One row of a body. What it throws leaves that row unscored. */
  encodeRow(features: Features): string | Uint8Array
  /** The body of rows as `encodeRow` has made them. */
  encodeBody(rows: readonly (string | Uint8Array)[]): string | Uint8Array
  /** Predictions in the order of the rows. What it throws, or another number of them, rejects the answer. */
  decode(body: Uint8Array): readonly unknown[]
}

export type ScoreContentType = 'text/csv' | 'application/json' | 'application/jsonlines'

const utf8 = new TextDecoder('utf-8', { fatal: true })

export const SCORE_CODECS: Readonly<Record<ScoreContentType, ScoreCodec<never>>> = {
  'text/csv': {
    contentType: 'text/csv',
    encodeRow: (features: FeatureList) => listOf(features).map(csvField).join(','),
    encodeBody: (rows) => rows.join('\n'),
    decode: (body) => linesOf(body).map(csvPrediction),
  },
  'application/json': {
    contentType: 'application/json',
    encodeRow: jsonOf,
    encodeBody: (rows) => `{"instances":[${rows.join(',')}]}`,
    decode: (body) => predictionsIn(JSON.parse(utf8.decode(body))),
  },
  'application/jsonlines': {
    contentType: 'application/jsonlines',
    encodeRow: jsonOf,
    encodeBody: (rows) => rows.join('\n'),
    decode: (body) => linesOf(body).map((line) => JSON.parse(line) as unknown),
  },
}

function listOf(features: unknown): FeatureList {
  if (!Array.isArray(features)) throw new TypeError('CSV needs the features as a list')
  return features as FeatureList
}

/** RFC 4180. Null is an empty field. */
function csvField(value: FeatureValue): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(finite(value))
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value !== 'string') throw new TypeError(`a feature is ${typeof value}`)
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

/** JSON has no NaN: `JSON.stringify` would make null of it, which means something else. */
function jsonOf(features: JsonFeatures): string {
  return JSON.stringify(features, (_name, value: unknown) => {
    if (typeof value === 'number') return finite(value)
    if (value === undefined) throw new TypeError('a feature is undefined')
    return value
  })
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw new TypeError(`a feature is ${value}`)
}

function linesOf(body: Uint8Array): string[] {
  const lines = utf8.decode(body).split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** The fields of a line; numbers stay text until a column says that it wants one. */
function csvPrediction(line: string): unknown {
  const fields = fieldsOf(line).map((field) => new CsvText(unquoted(field.trim())))
  return fields.length === 1 ? fields[0] : fields
}

/** What is between commas; one within quotes is of the text (RFC 4180, section 2). */
function fieldsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const fields: string[] = []
  let start = 0
  let isQuoted = false
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"') isQuoted = !isQuoted
    if (line[i] !== ',' || isQuoted) continue
    fields.push(line.slice(start, i))
    start = i + 1
  }
  return [...fields, line.slice(start)]
}

/** A field of CSV, of which nobody has said whether it is a number. */
export class CsvText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

function unquoted(field: string): string {
  return /^".*"$/.test(field) ? field.slice(1, -1).replaceAll('""', '"') : field
}

/** A list, or an object that holds one under `predictions`, as the containers of SageMaker answer. */
function predictionsIn(value: unknown): readonly unknown[] {
  const list = Array.isArray(value) ? value : (value as { predictions?: unknown } | null)?.predictions
  if (Array.isArray(list)) return list
  throw new TypeError('expected a list of predictions, or an object that has one as "predictions"')
}
