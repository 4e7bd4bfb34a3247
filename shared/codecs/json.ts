import { accept, reject, type Step } from '#shared/pipeline/outcome.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes → one JSON value (RFC 8259). Bytes that are not UTF-8 are refused, never replaced. */
export function decodeJson(bytes: Uint8Array): Step<unknown> {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return reject('UTF8_INVALID', null, 'the value is not valid UTF-8')
  }
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
