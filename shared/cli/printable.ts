/** Control characters, line and paragraph separators, and those that turn the direction of what follows. */
// oxlint-disable-next-line no-control-regex -- control characters are what is to be shown
const STEERING = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Text that comes from data, as one line that cannot steer the terminal: control characters are shown as `\x1b`. */
export function printable(text: string): string {
  return text.replace(STEERING, (char) => {
    const code = char.charCodeAt(0).toString(16)
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`
  })
}

/** The beginning of a printable text, with an ellipsis where it was cut; never cut within a character. */
export function shortened(text: string, length: number): string {
  const shown = printable(text)
  if (shown.length <= length) return shown
  const cut = shown.slice(0, length - 1)
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`
}

/** Bytes as text when they are UTF-8, else as hex. */
export function bytesText(bytes: Uint8Array): string {
  return textOf(bytes) ?? `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`
}

/** @returns undefined for bytes that are not UTF-8 */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Milliseconds since 1970 as ISO 8601; the number itself where no calendar reaches. */
export function timeText(milliseconds: number): string {
  const date = new Date(milliseconds)
  return Number.isNaN(date.getTime()) ? String(milliseconds) : date.toISOString()
}
