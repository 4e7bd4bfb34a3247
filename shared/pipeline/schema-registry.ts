import { matches, oneOf, onlyKnown } from './declared-options.ts'
import { PipelineDefinitionError } from './errors.ts'

/**
 * A registry of schemas that a trigger validates records with before its function has them ("Using schema registries with Kafka
 * event sources in Lambda", AWS Lambda Developer Guide). What does not fit goes to the failure destination.
 */
export interface SchemaRegistryOptions {
  /** The ARN of a registry of Glue, or the `https://` address of one of Confluent. */
  readonly uri: string
  /** What of a record has a schema, and is decoded. Inlet's default is `['VALUE']` (Lambda has none). */
  readonly validate?: readonly SchemaAttribute[]
  /** Whether the function is given JSON, the default, or what was sent without the id of its schema. */
  readonly recordFormat?: RecordFormat
  /** How Lambda logs in to Confluent's, with secrets of Secrets Manager; at most two. Glue's needs none. */
  readonly access?: readonly RegistryAccess[]
}

export type SchemaAttribute = 'KEY' | 'VALUE'
export type RecordFormat = 'JSON' | 'SOURCE'

export interface RegistryAccess {
  readonly type: 'BASIC_AUTH' | 'CLIENT_CERTIFICATE_TLS_AUTH' | 'SERVER_ROOT_CA_CERTIFICATE'
  /** ARN of the secret. */
  readonly secret: string
}

/** With all its settings. */
export type SchemaRegistry = Required<SchemaRegistryOptions>

const OPTIONS = ['uri', 'validate', 'recordFormat', 'access']
const ACCESS_OPTIONS = ['type', 'secret']
const ACCESS_TYPES = ['BASIC_AUTH', 'CLIENT_CERTIFICATE_TLS_AUTH', 'SERVER_ROOT_CA_CERTIFICATE']
/** Lambda takes no more. */
const MOST = 2

const GLUE = /^arn:[a-z-]+:glue:[a-z0-9-]+:\d{12}:registry\/[a-zA-Z0-9-_$#.]+$/
const CONFLUENT = /^https:\/\/[a-zA-Z0-9-/*:_+=.@]+$/
const SECRET = /^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[a-zA-Z0-9/_+=.@-]+$/

/** Whether a registry is Glue's: then the role of the function has to have rights to it, and there is no secret. */
export function isGlueRegistry({ uri }: SchemaRegistry): boolean {
  return GLUE.test(uri)
}

/** @throws PipelineDefinitionError naming the option that is wrong */
export function defineSchemaRegistry(options: SchemaRegistryOptions): SchemaRegistry {
  const at = 'trigger.schemaRegistry'
  if (typeof options !== 'object' || options === null) throw new PipelineDefinitionError(`${at}: expected { uri, … }`)
  onlyKnown(options, OPTIONS, `${at}.`)
  const { uri, validate = ['VALUE'], recordFormat = 'JSON', access = [] } = options
  const either = new RegExp(`${GLUE.source}|${CONFLUENT.source}`)
  matches(`${at}.uri`, uri, either, 'the ARN of a registry of Glue, or the https:// address of one of Confluent')
  oneOf(`${at}.recordFormat`, recordFormat, ['JSON', 'SOURCE'])
  isShortList(`${at}.validate`, validate, 1)
  for (const attribute of validate) oneOf(`${at}.validate`, attribute, ['KEY', 'VALUE'])
  isShortList(`${at}.access`, access, 0)
  for (const [i, entry] of access.entries()) checkAccess(`${at}.access[${i}]`, entry)
  const registry = { uri, validate, recordFormat, access }
  if (isGlueRegistry(registry) && access.length > 0)
    throw new PipelineDefinitionError(
      `${at}.access: Glue's registry is asked with the role of the function; leave it out`,
    )
  return registry
}

function isShortList(option: string, value: unknown, least: number): void {
  if (!Array.isArray(value) || value.length < least || value.length > MOST || new Set(value).size < value.length)
    throw new PipelineDefinitionError(`${option}: expected an array of ${least} to ${MOST}, each another one`)
}

function checkAccess(option: string, entry: RegistryAccess): void {
  if (typeof entry !== 'object' || entry === null)
    throw new PipelineDefinitionError(`${option}: expected { type, secret }`)
  onlyKnown(entry, ACCESS_OPTIONS, `${option}.`)
  oneOf(`${option}.type`, entry.type, ACCESS_TYPES)
  matches(`${option}.secret`, entry.secret, SECRET, 'the ARN of a secret')
}
