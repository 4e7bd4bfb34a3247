/**
 * An hour of GitHub's public events of 2018 (GH Archive, CC BY): nested, of 14 types, up to 84 KB each. They name people, so
 * they are no part of the project.
 */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as z from 'zod'
import { definePipeline } from '#shared/pipeline/pipeline.ts'

const SOURCE = new URL('../../../shared/data/gh-events-2018-nested.jsonl.gz', import.meta.url)

const User = z.object({ id: z.int(), login: z.string(), site_admin: z.boolean().optional() })
const Repo = z.object({ id: z.int(), name: z.string(), url: z.url() })
const Label = z.object({ name: z.string(), color: z.string().length(6), default: z.boolean() })
const Milestone = z.object({ number: z.int32(), title: z.string(), due_on: z.iso.datetime().nullable() })
const Issue = z.object({
  id: z.int64(),
  number: z.int32(),
  title: z.string(),
  user: User,
  labels: z.array(Label),
  state: z.enum(['open', 'closed']),
  assignees: z.array(User),
  milestone: Milestone.nullable(),
  comments: z.int32(),
  body: z.string().nullable(),
  pull_request: z.object({ url: z.url() }).optional(),
})
const Comment = z.object({ id: z.int64(), user: User, body: z.string(), created_at: z.iso.datetime() })
const CodeComment = Comment.extend({
  path: z.string().nullable(),
  position: z.int32().nullable(),
  commit_id: z.string(),
})
const Branch = z.object({
  label: z.string(),
  ref: z.string(),
  sha: z.string(),
  repo: z.object({ id: z.int(), full_name: z.string(), size: z.int(), language: z.string().nullable() }).nullable(),
})
const PullRequest = z.object({
  id: z.int64(),
  number: z.int32(),
  title: z.string(),
  user: User,
  merged_at: z.iso.datetime().nullable(),
  head: Branch,
  base: Branch,
})
const Commit = z.object({
  sha: z.string(),
  author: z.object({ name: z.string(), email: z.string() }),
  message: z.string(),
  distinct: z.boolean().optional(),
})

/** What each type of event tells; some have fields of one name in common. */
export const PAYLOADS = {
  PushEvent: z.object({
    push_id: z.int64(),
    size: z.int32(),
    distinct_size: z.int32(),
    ref: z.string(),
    commits: z.array(Commit),
  }),
  CreateEvent: z.object({
    ref: z.string().nullable(),
    ref_type: z.enum(['repository', 'branch', 'tag']),
    description: z.string().nullable(),
  }),
  DeleteEvent: z.object({ ref: z.string(), ref_type: z.enum(['branch', 'tag']) }),
  WatchEvent: z.object({ action: z.literal('started') }),
  ForkEvent: z.object({ forkee: z.object({ id: z.int(), full_name: z.string(), owner: User, private: z.boolean() }) }),
  IssuesEvent: z.object({ action: z.string(), issue: Issue }),
  IssueCommentEvent: z.object({ action: z.string(), issue: Issue, comment: Comment }),
  PullRequestEvent: z.object({ action: z.string(), number: z.int32(), pull_request: PullRequest }),
  PullRequestReviewCommentEvent: z.object({
    action: z.string(),
    comment: CodeComment,
    pull_request: PullRequest,
  }),
  CommitCommentEvent: z.object({ comment: CodeComment.extend({ line: z.int32().nullable() }) }),
  GollumEvent: z.object({
    pages: z.array(z.object({ page_name: z.string(), action: z.enum(['created', 'edited']), sha: z.string() })),
  }),
  MemberEvent: z.object({ member: User, action: z.literal('added') }),
  ReleaseEvent: z.object({
    action: z.literal('published'),
    release: z.object({
      id: z.int(),
      tag_name: z.string(),
      name: z.string().nullable(),
      author: User,
      assets: z.array(z.object({ name: z.string(), size: z.int64() })),
    }),
  }),
  PublicEvent: z.object({}),
} as const

const Common = z.object({
  id: z.string().regex(/^\d+$/),
  actor: User,
  repo: Repo,
  org: User.optional(),
  public: z.boolean(),
  created_at: z.iso.datetime(),
})
export type Kind = keyof typeof PAYLOADS
export const kinds = Object.keys(PAYLOADS) as [Kind, ...Kind[]]
const Event = z.discriminatedUnion(
  'type',
  kinds.map((type) => Common.extend({ type: z.literal(type), payload: PAYLOADS[type] })) as never as [
    z.ZodObject<{ type: z.ZodLiteral<Kind>; payload: z.ZodObject } & typeof Common.shape>,
  ],
)
const Payload = z.discriminatedUnion(
  'kind',
  kinds.map((kind) => z.object({ kind: z.literal(kind), ...PAYLOADS[kind].shape })) as never as [
    z.ZodObject<{ kind: z.ZodLiteral<Kind> }>,
  ],
)
const Row = z.object({
  id: z.int64(),
  type: z.enum(kinds),
  actor: User,
  repo: Repo,
  org: User.optional(),
  public: z.boolean(),
  created_at: z.iso.datetime().meta({ column: 'timestamp' }),
  payload: Payload,
})

/** The pipeline: one column for the payloads of all types, which a field of their own tells apart. */
export const github = definePipeline({
  name: 'github',
  topic: 'github',
  event: Event,
  row: Row,
  transform: ({ value: { id, type, payload, ...event } }) => ({
    ...event,
    id: BigInt(id),
    type,
    payload: { ...payload, kind: type } as never,
  }),
  lake: { table: 'github', layout: 'files', partitionBy: { type: 'identity' } },
})

/**
 * The events in the order of the file; undefined when it is not there, which is told on the error output.
 * @throws Error in continuous integration, where it has to be there
 */
export function githubEvents(): string[] | undefined {
  if (existsSync(SOURCE)) return gunzipSync(readFileSync(SOURCE)).toString('utf8').trimEnd().split('\n')
  if (process.env['CI'] === 'true') throw new Error(`${SOURCE.pathname} has to be there in continuous integration`)
  process.stderr.write(`NOT TESTED with nested events: ${SOURCE.pathname} is not there\n`)
  return undefined
}
