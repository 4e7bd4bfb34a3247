import process from 'node:process'
import { SingleBar } from 'cli-progress'

const LINE_INTERVAL_MS = 2000

/** Shows how far a long piece of work is: a bar with rate and time left on a terminal, plain lines elsewhere. */
export class Progress {
  readonly #label: string
  readonly #unit: string
  readonly #total: number | null
  readonly #started = performance.now()
  readonly #bar: SingleBar | undefined
  #done = 0
  #lastLine = performance.now()

  /** @param total how many units there are to do, null when nobody knows; @param unit what they are, in the plural */
  constructor(label: string, total: number | null, unit: string) {
    this.#label = label
    this.#unit = unit
    this.#total = total
    if (!process.stderr.isTTY || total === null) return
    this.#bar = new SingleBar({
      format: `${label} [{bar}] {percentage}% · {value} of {total} ${unit} · {rate}/s · {eta_formatted} left`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 30,
      hideCursor: true,
      clearOnComplete: false,
      stream: process.stderr,
      formatValue: (value, _options, type) =>
        type === 'value' || type === 'total' ? formatCount(value) : String(value),
    })
    this.#bar.start(total, 0, { rate: '–' })
  }

  advance(units: number): void {
    this.#done += units
    this.#bar?.update(this.#done, { rate: formatCount(this.#rate()) })
    if (this.#bar !== undefined || performance.now() - this.#lastLine < LINE_INTERVAL_MS) return
    this.#lastLine = performance.now()
    const left = this.#total === null ? '' : `, ${Math.ceil((this.#total - this.#done) / this.#rate())} s left`
    this.#line(`${formatCount(this.#rate())}/s${left}`)
  }

  /** Ends the bar; always call it, also when the work fails, or the cursor stays hidden. */
  stop(): void {
    this.#bar?.stop()
    if (this.#bar === undefined) this.#line(`${((performance.now() - this.#started) / 1000).toFixed(1)} s`)
  }

  /** Seconds since the work began. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  #rate(): number {
    return this.#done / Math.max(this.seconds, 0.001)
  }

  #line(end: string): void {
    const total = this.#total === null ? '' : ` of ${formatCount(this.#total)}`
    process.stderr.write(`${this.#label}: ${formatCount(this.#done)}${total} ${this.#unit}, ${end}\n`)
  }
}

/** `27,004` */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** `1.4 MB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let size = bytes
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit] ?? ''}`
}
