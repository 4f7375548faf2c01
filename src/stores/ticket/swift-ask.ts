import type {Body} from '../../core/body.ts'
import {send} from '../../http/send.ts'
import type {Answer, SendOptions, Wire} from '../../http/send.ts'
import {toTicketFailure} from './refusals.ts'
import {requestOf} from './session.ts'
import type {Ticket} from './ticket.ts'

interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body | undefined
  readonly accepts?: readonly number[]
}

export type Ask = (method: string, url: string, asked: Asked, options: SendOptions) => Promise<Answer>

/** Makes what sends to a signed URL. An answer of 300 or more fails, unless it is accepted. */
export function createAsk(ticket: Ticket, wire: Wire): Ask {
  return async (method, url, asked, options) => {
    const {headers = {}, body, accepts = []} = asked
    const answer = await send(
      wire,
      {...requestOf(method, url, headers), ...(body === undefined ? {} : {body})},
      options,
    )
    if (answer.status >= 300 && !accepts.includes(answer.status)) throw toTicketFailure(ticket, answer, method)
    return answer
  }
}
