import type * as z from 'zod'
import { matches, oneOf, onlyKnown, wholeNumber } from './declared-options.ts'
import { PipelineDefinitionError } from './errors.ts'
import {
  type FeatureList,
  type JsonFeatures,
  SCORE_CODECS,
  type ScoreCodec,
  type ScoreContentType,
} from './score-codec.ts'
import { type ScoredColumn, scoredColumns, type ScoredTable, textColumn } from './score-columns.ts'

/** The fields of a row that may be null, and otherwise are of a type. */
type NullableField<R extends z.ZodObject, Value> = {
  [Field in keyof z.output<R> & string]: null extends z.output<R>[Field]
    ? [NonNullable<z.output<R>[Field]>] extends [never]
      ? never
      : [NonNullable<z.output<R>[Field]>] extends [Value]
        ? Field
        : never
    : never
}[keyof z.output<R> & string]

/** What becomes of rows whose endpoint is away: they land and are scored later; land and stay null; or the slice fails. */
export type UnavailablePolicy = 'defer' | 'null' | 'fail'

interface ScoreOptions<R extends z.ZodObject> {
  /** The name of the SageMaker endpoint. */
  readonly endpoint: string
  /** The production variant that is asked, whatever the weights of the endpoint say. */
  readonly variant?: string
  /** The model of a multi-model endpoint. */
  readonly model?: string
  readonly inferenceComponent?: string
  /** A serverless endpoint takes 4 MB in place of 6. */
  readonly serverless?: boolean
  /** How much a request holds at the most. */
  readonly batch?: {
    /** 500 unless given. */
    readonly rows?: number
    /** As many as the endpoint takes, unless given. */
    readonly bytes?: number
  }
  /**
   * The column of the score: nullable, and a number. Or several: column → what of a prediction belongs there, as the index in
   * a list or the key in an object. Whatever the transform says of them is replaced.
   */
  readonly into: NullableField<R, number> | { readonly [Field in NullableField<R, number | string>]?: number | string }
  /**
   * A nullable text column for the model's version: what its container answers as `model-version=…` in the header
   * `X-Amzn-SageMaker-Custom-Attributes`, otherwise the production variant that was asked.
   */
  readonly modelVersionInto?: NullableField<R, string>
  /** A nullable text column for the reason why a row has no score; null in rows that have one. */
  readonly reasonInto?: NullableField<R, string>
  /** Milliseconds that one request may take; 10,000 unless given. The container has 60 s. */
  readonly timeoutMs?: number
  /** `'defer'` unless given. Plain files stay as they are: there it is `'null'` or `'fail'`, and has to be said. */
  readonly onUnavailable?: UnavailablePolicy
}

/** Row → what the model is told of it; null for a row that is not to be scored. Pure: it may run any number of times. */
type FeaturesOf<R extends z.ZodObject, Features> = (row: z.output<R>) => Features | null

/** A score as the owner of a pipeline declares it. */
export type ScoreDeclaration<R extends z.ZodObject> = ScoreOptions<R> &
  (
    | { readonly contentType?: never; readonly codec: ScoreCodec<never>; readonly features: FeaturesOf<R, unknown> }
    | {
        readonly contentType: 'application/json' | 'application/jsonlines'
        readonly codec?: never
        readonly features: FeaturesOf<R, JsonFeatures>
      }
    // The last is the one that the compiler's messages speak of.
    | { readonly contentType?: 'text/csv'; readonly codec?: never; readonly features: FeaturesOf<R, FeatureList> }
  )

/** A checked score: plain data that every runtime reads. */
export interface Score {
  readonly name: string
  readonly endpoint: string
  readonly variant: string | null
  readonly model: string | null
  readonly inferenceComponent: string | null
  readonly features: (row: never) => unknown
  readonly codec: ScoreCodec<never>
  readonly into: readonly ScoredColumn[]
  readonly modelVersionInto: string | null
  readonly reasonInto: string | null
  readonly maxRows: number
  readonly maxBytes: number
  readonly timeoutMs: number
  readonly onUnavailable: UnavailablePolicy
}

/** Megabytes, not mebibytes: right whichever is meant (Amazon SageMaker Developer Guide, "Invoke models for real-time inference"). */
const REAL_TIME_BYTES = 6_000_000
const SERVERLESS_BYTES = 4_000_000
const ROWS = 500
const TIMEOUT_MS = 10_000
const ENDPOINT = /^[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}$/
const OPTIONS = [
  'endpoint',
  'variant',
  'model',
  'inferenceComponent',
  'serverless',
  'features',
  'contentType',
  'codec',
  'batch',
  'into',
  'modelVersionInto',
  'reasonInto',
  'timeoutMs',
  'onUnavailable',
]

/** @throws PipelineDefinitionError naming the option or the field that is wrong */
export function defineScores(declared: unknown, table: ScoredTable): Score[] {
  if (declared === undefined) return []
  if (typeof declared !== 'object' || declared === null)
    throw new PipelineDefinitionError('scores: expected { name: { … } }')
  const scores = Object.entries(declared).map(([name, score]) => defineScore(name, score, table))
  const taken = new Map<string, string>()
  for (const { name, into, modelVersionInto, reasonInto } of scores)
    for (const column of [...into.map((scored) => scored.column), modelVersionInto, reasonInto]) {
      if (column === null) continue
      const other = taken.get(column)
      if (other !== undefined)
        throw new PipelineDefinitionError(`scores.${name}: the column ${column} is written by scores.${other} already`)
      taken.set(column, name)
    }
  return scores
}

/** As plain JavaScript may have it: nothing is certain before it is checked. */
type Declared = ScoreOptions<z.ZodObject> & {
  readonly contentType?: ScoreContentType
  readonly codec?: ScoreCodec<never>
  readonly features: Score['features']
}

function defineScore(name: string, score: unknown, table: ScoredTable): Score {
  const at = `scores.${name}`
  matches(at, name, /^[a-zA-Z][a-zA-Z0-9_]{0,47}$/, 'a name of letters, digits and underscores, at most 48')
  if (typeof score !== 'object' || score === null) throw new PipelineDefinitionError(`${at}: expected { endpoint, … }`)
  onlyKnown(score, OPTIONS, `${at}.`)
  const { endpoint, variant, model, inferenceComponent, serverless = false, batch = {}, ...others } = score as Declared
  const { features, contentType, codec, into, modelVersionInto, reasonInto } = others
  const { timeoutMs = TIMEOUT_MS, onUnavailable = 'defer' } = others
  matches(`${at}.endpoint`, endpoint, ENDPOINT, 'the name of an endpoint: letters, digits and dashes, at most 63')
  for (const [option, value] of Object.entries({ variant, model, inferenceComponent }))
    if (value !== undefined) matches(`${at}.${option}`, value, /^\S{1,1024}$/, 'a name')
  if (typeof serverless !== 'boolean') throw new PipelineDefinitionError(`${at}.serverless: expected true or false`)
  if (typeof features !== 'function') throw new PipelineDefinitionError(`${at}.features: expected a function`)
  if (typeof batch !== 'object' || batch === null)
    throw new PipelineDefinitionError(`${at}.batch: expected { rows, bytes }`)
  onlyKnown(batch, ['rows', 'bytes'], `${at}.batch.`)
  const mostBytes = serverless ? SERVERLESS_BYTES : REAL_TIME_BYTES
  const { rows: maxRows = ROWS, bytes: maxBytes = mostBytes } = batch
  wholeNumber(`${at}.batch.rows`, maxRows, 1, 100_000)
  wholeNumber(`${at}.batch.bytes`, maxBytes, 1000, mostBytes)
  wholeNumber(`${at}.timeoutMs`, timeoutMs, 100, 60_000)
  oneOf(`${at}.onUnavailable`, onUnavailable, ['defer', 'null', 'fail'])
  if (onUnavailable === 'defer' && table.layout === 'files')
    throw new PipelineDefinitionError(
      `${at}.onUnavailable: plain files stay as they are, and no score can come later: say 'null' or 'fail'`,
    )
  return {
    name,
    endpoint,
    variant: variant ?? null,
    model: model ?? null,
    inferenceComponent: inferenceComponent ?? null,
    features,
    codec: codecOf(at, contentType, codec),
    into: scoredColumns(`${at}.into`, into, table),
    modelVersionInto: textColumn(`${at}.modelVersionInto`, modelVersionInto, table),
    reasonInto: textColumn(`${at}.reasonInto`, reasonInto, table),
    maxRows,
    maxBytes,
    timeoutMs,
    onUnavailable,
  }
}

function codecOf(
  at: string,
  contentType: ScoreContentType | undefined,
  codec: ScoreCodec<never> | undefined,
): ScoreCodec<never> {
  if (codec === undefined) {
    oneOf(`${at}.contentType`, contentType ?? 'text/csv', Object.keys(SCORE_CODECS))
    return SCORE_CODECS[contentType ?? 'text/csv']
  }
  if (contentType !== undefined)
    throw new PipelineDefinitionError(`${at}.contentType: the codec says what it is; leave it out`)
  const isCodec =
    typeof codec === 'object' &&
    codec !== null &&
    typeof codec.contentType === 'string' &&
    (['encodeRow', 'encodeBody', 'decode'] as const).every((part) => typeof codec[part] === 'function')
  if (isCodec) return codec
  throw new PipelineDefinitionError(`${at}.codec: expected { contentType, encodeRow, encodeBody, decode }`)
}
