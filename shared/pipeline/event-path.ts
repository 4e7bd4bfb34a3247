import { jsonDecoder } from '#shared/codecs/json.ts'
import { compileContract } from './contract.ts'
import { exactIntegersOf, hasBigints } from './exact-integers.ts'
import { fieldPath } from './field-path.ts'
import type { Step } from './outcome.ts'
import type { Pipeline } from './pipeline.ts'
import { disclosureOf, holdsSensitive } from './sensitive.ts'
import { strictKeysOf } from './strict-keys.ts'

/** The bytes of a value as the event that a pipeline's contract makes of them, or why it does not. */
export function compileEventPath(
  pipeline: Pick<Pipeline, 'event' | 'unknownKeys'>,
): (value: Uint8Array) => Step<unknown> {
  const exactIntegers = hasBigints(pipeline.event)
  const options = holdsSensitive(pipeline.event)
    ? { exactIntegers, fieldOf: (path: readonly PropertyKey[]) => fieldPath(disclosureOf(pipeline.event, path).path) }
    : { exactIntegers }
  const event = exactIntegers ? exactIntegersOf(pipeline.event) : pipeline.event
  const check = compileContract(pipeline.unknownKeys === 'reject' ? strictKeysOf(event) : event, 'EVENT_INVALID')
  const decode = jsonDecoder(options)
  return (value) => {
    const decoded = decode(value)
    return decoded.ok ? check(decoded.value) : decoded
  }
}
