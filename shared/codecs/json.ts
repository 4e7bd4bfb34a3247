import { isUtf8 } from 'node:buffer'
import { accept, reject, type Step } from '#shared/pipeline/outcome.ts'

/** Bytes → one JSON value (RFC 8259). Bytes that are not UTF-8 are refused, never replaced. */
export function decodeJson(bytes: Uint8Array): Step<unknown> {
  if (!isUtf8(bytes)) return reject('UTF8_INVALID', null, 'the value is not valid UTF-8')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    return accept(JSON.parse(text))
  } catch (error) {
    return reject('JSON_INVALID', null, jsonFault(error))
  }
}

/** The parser's reason without the piece of input that V8 quotes: a dead letter's message never holds user data. */
function jsonFault(error: unknown): string {
  const message = error instanceof Error ? error.message : ''
  const at = /at position \d+/.exec(message)
  return `the value is not JSON${at === null ? '' : ` (${at[0]})`}`
}
