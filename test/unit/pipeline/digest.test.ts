import * as z from 'zod'
import { digest } from '#shared/pipeline/digest.ts'

test('is the same for the same declaration, made again', () => {
  const declare = () => ({ row: z.object({ a: z.string().min(1), b: z.enum(['x', 'y']) }), by: (n: number) => n + 1 })
  expect(digest(declare())).toBe(digest(declare()))
})

test('a schema that is used twice counts twice', () => {
  const [text, number] = [z.string(), z.number()]
  expect(digest(z.object({ a: text, b: number, c: text }))).not.toBe(
    digest(z.object({ a: text, b: number, c: number })),
  )
})

test('a schema that contains itself has an end', () => {
  const tree = z.object({
    name: z.string(),
    get children() {
      return z.array(tree)
    },
  })
  expect(digest(tree)).toMatch(/^[0-9a-f]{12}$/)
})

test.each([
  ['a bound', z.string().max(3), z.string().max(4)],
  ['a pattern', z.string().regex(/a/), z.string().regex(/b/)],
  ['a refinement', z.string().refine((text) => text > 'a'), z.string().refine((text) => text > 'b')],
  ['nullability', z.string(), z.string().nullable()],
])('%s makes a difference', (_, one, other) => {
  expect(digest(one)).not.toBe(digest(other))
})
