import * as z from 'zod'
import { definePipeline } from '#shared/pipeline/pipeline.ts'

const Leaf = z.object({
  name: z.string(),
  size: z.int64().optional(),
  get children() {
    return z.array(Leaf).max(8).optional()
  },
})

const Everything = z.object({
  id: z.int64(),
  act: z.enum(['row', 'rows', 'none', 'skip', 'throw', 'half', 'bad row', 'bad second row']).catch('row'),
  text: z.string().nullable(),
  number: z.number(),
  at: z.iso.datetime({ offset: true }),
  tags: z.record(z.string(), z.string().nullable()),
  list: z.array(z.union([z.int64(), z.number(), z.string()])),
  tree: Leaf.nullable(),
  amount: z.string().optional(),
  pin: z.string().meta({ sensitive: true }).optional(),
  parsed: z
    .string()
    .transform((text) => BigInt(text))
    .optional(),
})

/** A pipeline with something of all that a pipeline may have, so that a record may go wrong in every way there is. */
export const everything = definePipeline({
  name: 'everything',
  topic: 'everything',
  event: Everything,
  row: z.object({
    id: z.int64(),
    text: z.string().nullable(),
    number: z.number().nullable(),
    at: z.iso.datetime({ offset: true }).meta({ column: 'timestamp' }).nullish(),
    tags: z.record(z.string(), z.string().nullable()).nullable(),
    list: z.array(z.string()).nullable(),
    names: z.array(z.object({ name: z.string(), depth: z.int32() })).nullable(),
    amount: z.string().meta({ column: 'decimal(9,2)' }).nullish(),
  }),
  transform: ({ value: { id, act, text, number, at, tags, list, tree, amount, pin } }) => {
    const row = { id, text, number, at, tags, list: list.map(String), names: namesIn(tree, 0), amount }
    switch (act) {
      case 'skip':
        return null
      case 'none':
        return []
      case 'rows':
        return [row, { ...row, at: '2013-01-01T00:00:00Z' }]
      case 'throw':
        throw new RangeError(`${pin}: ${text}`)
      case 'half':
        // Half of a surrogate pair, as cutting a text makes it.
        return { ...row, text: '😀'.slice(0, 1) }
      case 'bad row':
        return { ...row, id: 7 as never }
      case 'bad second row':
        return [row, { ...row, text: 7 as never }]
      default:
        return row
    }
  },
  lake: {
    table: 'everything',
    layout: 'files',
    partitionBy: { at: 'day', text: { truncate: 3 } },
    keep: ['key', 'headers'],
  },
  unknownKeys: 'reject',
  tombstones: 'reject',
})

function namesIn(leaf: z.output<typeof Leaf> | null, depth: number): { name: string; depth: number }[] {
  if (leaf === null) return []
  return [{ name: leaf.name, depth }, ...(leaf.children ?? []).flatMap((child) => namesIn(child, depth + 1))]
}

/** Events that the contract takes, to begin with. */
export const EVERYTHING: readonly string[] = [
  'row',
  'rows',
  'none',
  'skip',
  'throw',
  'half',
  'bad row',
  'bad second row',
].map((act, i) =>
  JSON.stringify({
    act,
    text: i % 2 === 0 ? 'naïve 😀' : null,
    number: i / 3,
    at: `2013-01-0${i + 1}T10:00:00.125+01:00`,
    tags: { a: 'b', 'c\\d': null, 'e"f\n': 'g' },
    list: [1, 2.5, 'x'],
    tree: { name: 'root', size: 1, children: [{ name: 'leaf' }] },
    amount: '-12.50',
    pin: 'hunter2',
    parsed: '9007199254740993',
    id: i,
  }).replace(/"id":(\d)/, '"id":900719925474099$1'),
)
