import { PipelineDefinitionError } from '#shared/pipeline/errors.ts'
import { checkFilterPattern, type FilterPattern } from '#shared/pipeline/filter-pattern.ts'

const check = (pattern: unknown): void => checkFilterPattern(pattern, 'filters[0]')

const ACCEPTED: FilterPattern[] = [
  { value: ['text', 1, true, false, null, ''] },
  { value: { device: [{ prefix: 'AB' }], session: { duration: [{ numeric: ['>', 10, '<=', 20] }] } } },
  { value: { a: [{ suffix: '.png' }, { 'equals-ignore-case': 'x' }, { exists: false }] } },
  { value: { a: [{ 'anything-but': 'x' }, { 'anything-but': ['x', 'y'] }, { 'anything-but': [1, 2] }] } },
  { value: { a: [{ numeric: ['=', -5] }, { numeric: ['<', 1.5] }, { numeric: ['>=', 0, '<', 1] }] } },
  { value: { $or: [{ a: ['x'] }, { $or: [{ b: [1] }, { c: { d: [null] } }] }], e: [1] } },
]

test.each(ACCEPTED)('%j is a pattern', (pattern) => {
  expect(() => check(pattern)).not.toThrow()
})

test.each<[string, unknown, string]>([
  ['text', '{"value":["x"]}', 'filters[0]: expected { value: … }'],
  ['nothing', {}, 'filters[0].value: expected an object of fields, or an array of rules'],
  ['a filter on the key', { key: ['x'] }, 'filters[0].key: Lambda filters the records of Kafka by their value only'],
  ['a filter on the topic too', { value: ['x'], topic: ['t'] }, 'filters[0].topic: Lambda filters'],
  [
    'a rule outside of an array',
    { value: { a: 'x' } },
    'filters[0].value.a: expected an object of fields, or an array',
  ],
  ['no fields', { value: {} }, 'filters[0].value: an empty object'],
  ['no fields below', { value: { a: {} } }, 'filters[0].value.a: an empty object'],
  ['no rules', { value: { a: [] } }, 'filters[0].value.a: an empty array matches nothing'],
  ['no text rules', { value: [] }, 'filters[0].value: an empty array matches nothing'],
  ['an array in an array', { value: { a: [['x']] } }, 'filters[0].value.a[0]: expected text, a number'],
  ['infinity', { value: { a: [Number.POSITIVE_INFINITY] } }, 'filters[0].value.a[0]: expected text'],
  ['no operator', { value: { a: [{}] } }, 'filters[0].value.a[0]: expected exactly one operator'],
  ['two operators', { value: { a: [{ prefix: 'a', suffix: 'b' }] } }, 'filters[0].value.a[0]: expected exactly one'],
  [
    'an operator of EventBridge that Lambda has not',
    { value: { a: [{ wildcard: 'a*' }] } },
    'filters[0].value.a[0].wildcard: unknown option; there are prefix, suffix',
  ],
  ['a prefix that is no text', { value: { a: [{ prefix: 1 }] } }, 'filters[0].value.a[0].prefix: expected text'],
  ['exists "yes"', { value: { a: [{ exists: 'yes' }] } }, 'filters[0].value.a[0].exists: expected true or false'],
  [
    'anything but a prefix',
    { value: { a: [{ 'anything-but': { prefix: 'a' } }] } },
    'filters[0].value.a[0].anything-but: expected texts, or numbers',
  ],
  ['anything but nothing', { value: { a: [{ 'anything-but': [] }] } }, '.anything-but: expected texts, or numbers'],
  ['anything but a mixture', { value: { a: [{ 'anything-but': ['a', 1] }] } }, '.anything-but: expected texts'],
  [
    'one alternative',
    { value: { $or: [{ a: [1] }] } },
    'filters[0].value.$or: expected an array of two objects or more',
  ],
  ['an alternative that is a rule', { value: { $or: [{ a: [1] }, 1] } }, 'filters[0].value.$or[1]: expected an object'],
  ['an unknown comparison', { value: { a: [{ numeric: ['!=', 1] }] } }, '.numeric: expected one comparison'],
  ['a comparison with text', { value: { a: [{ numeric: ['>', '1'] }] } }, '.numeric: expected one comparison'],
  ['an upper bound first', { value: { a: [{ numeric: ['<', 1, '>', 0] }] } }, '.numeric: expected one comparison'],
  ['an empty range', { value: { a: [{ numeric: ['>', 2, '<', 2] }] } }, '.numeric: expected one comparison'],
  ['equal within a range', { value: { a: [{ numeric: ['=', 2, '<', 3] }] } }, '.numeric: expected one comparison'],
  ['three comparisons', { value: { a: [{ numeric: ['>', 1, '<', 3, '<', 4] }] } }, '.numeric: expected one comparison'],
  ['no comparison', { value: { a: [{ numeric: [] }] } }, '.numeric: expected one comparison'],
  ['too long a pattern', { value: ['x'.repeat(4096)] }, 'filters[0]: longer than the 4096 characters'],
])('%s is refused', (_, pattern, message) => {
  expect(() => check(pattern)).toThrow(PipelineDefinitionError)
  expect(() => check(pattern)).toThrow(message)
})
