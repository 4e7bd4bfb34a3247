import { attribute, exempt, logicalId, type Resource, type Value } from './cloudformation.ts'

/** One thing that a function may do. Actions are named one by one. */
export interface Statement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Action: readonly string[]
  readonly Resource: Value
  readonly Condition?: { readonly [key: string]: Value }
}

export function allow(Sid: string, Action: readonly string[], resource: Value): Statement {
  return { Sid, Effect: 'Allow', Action, Resource: resource }
}

/** The role of one function, with what every function needs: its log group, and traces. */
export function functionRole(functionName: string, statements: readonly Statement[]): Resource {
  return {
    Type: 'AWS::IAM::Role',
    ...(statements.some(({ Sid }) => Sid === NETWORK) && {
      Metadata: exempt({
        CKV_AWS_111: 'Lambda makes network interfaces in the name of a function: none of them is there before',
      }),
    }),
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      Policies: [
        {
          PolicyName: functionName,
          PolicyDocument: { Version: '2012-10-17', Statement: [...own(functionName), ...statements].map(plain) },
        },
      ],
    },
  }
}

/** The role's logical id, for the function to name. */
export function roleId(functionName: string): string {
  return logicalId(functionName, 'Role')
}

/** Where Lambda tells of invocations that failed, of a function that has no trigger. */
export const FAILED_INVOCATIONS: Value = { onFailure: { type: 'sqs', arn: attribute('FailedInvocations', 'Arn') } }

/** What it needs for that, in the name of the function. */
export function failureRights(): Statement {
  return allow('TellFailures', ['sqs:SendMessage'], attribute('FailedInvocations', 'Arn'))
}

const NETWORK = 'AttachToNetwork'

/**
 * Lambda attaches a function to a network in the function's name ("Giving Lambda functions access to resources in an Amazon VPC",
 * which gives no resource for any of it).
 */
export function networkRights(): Statement {
  const actions = ['Create', 'Describe', 'Delete'].map(
    (doing) => `ec2:${doing}NetworkInterface${doing === 'Describe' ? 's' : ''}`,
  )
  return allow(NETWORK, actions, '*')
}

function own(functionName: string): Statement[] {
  return [
    allow(
      'Write',
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      attribute(logicalId(functionName, 'LogGroup'), 'Arn'),
    ),
    // Traces belong to no resource.
    allow('Trace', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*'),
  ]
}

function plain({ Condition, ...statement }: Statement): Value {
  return Condition === undefined ? statement : { ...statement, Condition }
}
