import { Readable } from 'node:stream'
import { GlueClient, type GlueClientConfig } from '@aws-sdk/client-glue'

/** A request as it is sent. */
export interface GlueCall {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
}

/** An error as Glue answers with it. */
export class GlueRefusal {
  readonly name: string
  readonly status: number

  constructor(name: string, status = 400) {
    this.name = name
    this.status = status
  }
}

/** A client of Glue whose requests go to a function instead of a network. */
export function glueAnswering(answer: (call: GlueCall) => object): {
  readonly glue: GlueClient
  readonly calls: GlueCall[]
} {
  const calls: GlueCall[] = []
  const handle = (request: { headers: Record<string, string>; body: Uint8Array }): Promise<object> => {
    const operation = request.headers['x-amz-target']?.replace('AWSGlue.', '') ?? ''
    const call = { operation, input: JSON.parse(new TextDecoder().decode(request.body)) }
    calls.push(call)
    const said = answer(call)
    const refusal = said instanceof GlueRefusal ? { __type: said.name, message: 'Because.' } : undefined
    const body = Readable.from([Buffer.from(JSON.stringify(refusal ?? said))])
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'REQUEST1' }
    return Promise.resolve({ response: { statusCode: said instanceof GlueRefusal ? said.status : 200, headers, body } })
  }
  const requestHandler = { handle } as unknown as NonNullable<GlueClientConfig['requestHandler']>
  const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' }
  return { glue: new GlueClient({ region: 'us-east-1', credentials, requestHandler, maxAttempts: 1 }), calls }
}
