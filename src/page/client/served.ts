import {Failure, isFailure} from '../../core/failure.ts'
import {partUrl} from '../../stores/ticket/ticket.ts'
import type {Ticket} from '../../stores/ticket/ticket.ts'
import {BATCH} from '../data.ts'
import type {Served} from '../data.ts'
import {openPlace} from './choose.ts'
import type {Choice} from './choose.ts'
import {recallSession, rememberSession} from './memory.ts'
import type {SignPart} from './s3-place.ts'
import {sendRequest} from './send.ts'

interface Upload {
  readonly ticket: Ticket
  readonly session: string
}

interface Batch {
  readonly first: number
  readonly url: string
  readonly signatures: readonly string[]
}

/** Begins an upload at whoever serves the page, or goes on with the one of this file. */
export async function chooseServed(served: Served, file: File, signal: AbortSignal): Promise<Choice> {
  async function ask(what: string, question: unknown, until = signal): Promise<unknown> {
    const headers = {'content-type': 'application/json', 'x-skylift-page': served.token}
    const reply = await sendRequest({
      method: 'POST',
      url: `/${what}`,
      headers,
      body: JSON.stringify(question),
      signal: until,
    })
    if (reply.status === 200) return JSON.parse(reply.text)
    throw readFailure(reply.status, reply.text)
  }

  async function begin(): Promise<Upload> {
    const known = recallSession(file)
    if (known !== undefined) {
      try {
        return (await ask('resume', {session: known})) as Upload
      } catch (error) {
        // It is finished, was dropped, or another run served the page then.
        if (!isFailure(error, 'not-found', 'forbidden')) throw error
      }
    }
    return (await ask('begin', {size: file.size, type: file.type})) as Upload
  }

  const {ticket, session} = await begin()
  rememberSession(file, session)
  const batches = new Map<number, Promise<Batch>>()
  const sign: SignPart = async (number, until) => {
    if (ticket.kind !== 's3') throw new Error('One signature is for all parts.')
    if (number <= ticket.parts.signatures.length) return partUrl(ticket, number)
    const first = Math.floor((number - 1) / BATCH) * BATCH + 1
    const batch = batches.get(first) ?? (ask('sign', {session, first}, until) as Promise<Batch>)
    batches.set(first, batch)
    // What failed is asked for again.
    const {url, signatures} = await batch.catch((error: unknown) => {
      batches.delete(first)
      throw error
    })
    return url.replace('{number}', String(number)).replace('{signature}', signatures[number - first] ?? '')
  }
  return {
    ticket,
    place: openPlace(ticket, sign),
    async finish(until) {
      const {link} = (await ask('finish', {session, name: file.name}, until)) as {link: string}
      rememberSession(file, undefined)
      return link
    },
  }
}

function readFailure(status: number, text: string): Failure {
  try {
    const {code, message} = JSON.parse(text) as {code: Failure['code']; message: string}
    return new Failure(code, message, {retryable: status >= 500})
  } catch {
    return new Failure('busy', 'The server of this page is busy.', {retryable: true})
  }
}
