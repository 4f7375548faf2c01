import {expect} from 'chai'
import * as fc from 'fast-check'
import {Failure, isFailure} from '../../../src/core/failure.ts'
import {GIB, MIB} from '../../../src/core/sizes.ts'
import {
  checkFit,
  checkTime,
  formatTicket,
  parseTicket,
  partUrl,
  ticketLimits,
  ticketOrigin,
  timeLeft,
} from '../../../src/stores/ticket/ticket.ts'
import type {Ticket} from '../../../src/stores/ticket/ticket.ts'
import {planParts} from '../../../src/upload/plan.ts'
import {OPEN_TICKET, OWNER_TICKET, S3_TICKET, SAMPLES, WHOLE_TICKET} from './samples.ts'

const nameOf = (ticket: Ticket): string => ('assemble' in ticket ? `swift ${ticket.assemble}` : ticket.kind)

/** Reads what must not be read; its failure may quote nothing of the text. */
function refusal(text: string): Failure {
  try {
    parseTicket(text)
  } catch (error) {
    if (!isFailure(error)) throw error
    expect(error.code).to.equal('config')
    expect(error.message).to.match(/^[^\n]+\.$/u)
    expect(error.message.length).to.be.lessThan(200)
    expect(error.message + (error.suggestion ?? '')).not.to.match(/[\da-f]{16}|https?:/u)
    return error
  }
  throw new Error(`It was read: ${text.slice(0, 300)}`)
}

describe('parseTicket', () => {
  for (const ticket of SAMPLES) {
    it(`reads what formatTicket writes: ${nameOf(ticket)}`, () => {
      expect(parseTicket(formatTicket(ticket))).to.deep.equal(ticket)
      expect(parseTicket(JSON.stringify(ticket))).to.deep.equal(ticket)
    })

    it(`refuses it with any one field missing, of another type, or beside an unknown one: ${nameOf(ticket)}`, () => {
      let tried = 0
      const optional = ['link', 'parts.partSize']
      const walk = (value: Record<string, unknown>, at: string, write: (changed: unknown) => string): void => {
        refusal(write({...value, surprise: 1}))
        for (const [name, field] of Object.entries(value)) {
          const path = `${at}${name}`
          const {[name]: _gone, ...rest} = value
          if (!optional.includes(path)) refusal(write(rest))
          for (const wrong of [null, [], '', -1, 0.5, {}, [null], '\u0000', 'javascript:alert(1)']) {
            if (at === 'target.' && typeof wrong === 'string' && wrong !== '') continue
            if (
              [
                'contentType',
                'uploadId',
                'link.filename',
                'parts.container',
                'parts.prefix',
                'headers.content-type',
              ].includes(path) &&
              wrong === 'javascript:alert(1)'
            )
              continue
            if (['parts.container', 'parts.prefix'].includes(path) && wrong === '\u0000') continue
            refusal(write({...value, [name]: wrong}))
            tried++
          }
          if (typeof field === 'object' && field !== null && !Array.isArray(field)) {
            walk(field as Record<string, unknown>, `${path}.`, changed => write({...value, [name]: changed}))
          }
        }
      }
      walk(ticket as unknown as Record<string, unknown>, '', changed => JSON.stringify(changed))
      expect(tried).to.be.greaterThan(100)
    })
  }

  const wrong: [string, string][] = [
    ['nothing', ''],
    ['half of one', formatTicket(S3_TICKET).slice(0, 900)],
    ['another document', '{"Version": "2012-10-17"}'],
    ['a list', '[]'],
    ['a number', '1'],
    ['null', 'null'],
    ['a receipt', '{"version": 1, "target": "s3://a/b"}'],
    ['a page', '<!doctype html><html></html>'],
    ['version 0', JSON.stringify({...S3_TICKET, skyliftTicket: 0})],
    ['a version in words', JSON.stringify({...S3_TICKET, skyliftTicket: '1'})],
    ['a kind of another name', JSON.stringify({...S3_TICKET, kind: 'constructor'})],
    ['a kind of Object', JSON.stringify({...S3_TICKET, kind: '__proto__'})],
    ['an assembly of S3', JSON.stringify({...S3_TICKET, assemble: 'whole'})],
    ['an open one with a list', JSON.stringify({...OPEN_TICKET, done: OWNER_TICKET.done})],
    ['a prototype', formatTicket(S3_TICKET).replace('{', '{"__proto__": {"x": 1},')],
    ['a signature too few', JSON.stringify({...S3_TICKET, parts: {...S3_TICKET.parts, count: 4}})],
    ['a page of the listing too few', JSON.stringify({...S3_TICKET, list: []})],
    ['both sizes', JSON.stringify({...S3_TICKET, size: {max: 1, exact: 1}})],
    ['more than its parts can hold', JSON.stringify({...OPEN_TICKET, size: {max: 49 * MIB}})],
    [
      'the smallest part above the largest',
      JSON.stringify({...OWNER_TICKET, parts: {...OWNER_TICKET.parts, min: 6 * GIB}}),
    ],
    ['no hole for the part', withUrl(S3_TICKET.parts.url.replace('{number}', '1'))],
    ['a hole that it does not know', withUrl(`${S3_TICKET.parts.url}&x={host}`)],
    ['a name and a password', withUrl(S3_TICKET.parts.url.replace('https://', 'https://u:p@'))],
    ['a line break in a URL', withUrl(S3_TICKET.parts.url.replace('?', '?\r\nx: y'))],
    ['a header that it does not know', JSON.stringify({...WHOLE_TICKET, headers: {host: 'evil.example'}})],
    ['a header of two lines', JSON.stringify({...WHOLE_TICKET, headers: {'content-type': 'a\r\nb: c'}})],
  ]
  for (const [title, text] of wrong) it(`refuses ${title}`, () => void refusal(text))

  it('names a newer version and what to do', () => {
    const failure = refusal(JSON.stringify({...S3_TICKET, skyliftTicket: 2}))
    expect(failure.message).to.equal('The ticket is of version 2, and this Skylift reads version 1.')
    expect(failure.suggestion).to.contain('newer Skylift')
  })

  it('refuses a ticket whose URLs go to more than one place: somebody put it together', () => {
    for (const name of ['complete', 'abort', 'head'] as const) {
      const moved = S3_TICKET[name].replace('s3.example.com', 'evil.example')
      expect(refusal(JSON.stringify({...S3_TICKET, [name]: moved})).message).to.contain('"url"')
    }
    refusal(JSON.stringify({...OWNER_TICKET, done: OWNER_TICKET.done?.replace('https:', 'http:')}))
  })

  it('never fails otherwise, whatever stands in the file', () => {
    const survive = (text: string): void => {
      try {
        parseTicket(text)
      } catch (error) {
        expect(isFailure(error, 'config'), String(error)).to.equal(true)
      }
    }
    fc.assert(fc.property(fc.string(), survive), {numRuns: 300})
    fc.assert(fc.property(fc.json(), survive), {numRuns: 300})
    const texts = SAMPLES.map(formatTicket)
    const cut = fc.tuple(fc.constantFrom(...texts), fc.nat(2000), fc.nat(20), fc.string({maxLength: 5}))
    fc.assert(
      fc.property(cut, ([text, at, size, put]) => survive(text.slice(0, at) + put + text.slice(at + size))),
      {numRuns: 1000},
    )
  })
})

function withUrl(url: string): string {
  return JSON.stringify({...S3_TICKET, parts: {...S3_TICKET.parts, url}})
}

describe('a ticket', () => {
  it('has a URL for each of its parts and for no other', () => {
    expect(partUrl(S3_TICKET, 2)).to.equal(
      `https://s3.example.com/inbox/a/disk.img?X-Amz-Signature=${S3_TICKET.parts.signatures[1]}&partNumber=2&uploadId=upload-1`,
    )
    expect(partUrl(OWNER_TICKET, 3)).to.contain('/upload-1/00000003?temp_url_sig=')
    for (const number of [0, 4, 1.5, Number.NaN]) expect(() => partUrl(S3_TICKET, number)).to.throw(Failure)
  })

  it('says where it leads', () => {
    expect(SAMPLES.map(ticketOrigin)).to.deep.equal([
      'https://s3.example.com',
      ...Array<string>(3).fill('https://swift.example.com'),
    ])
  })

  it('plans within what it allows', () => {
    expect(planParts(40 * MIB, ticketLimits(S3_TICKET))).to.include({partSize: 16 * MIB, count: 3})
    expect(planParts(1, ticketLimits(S3_TICKET))).to.include({count: 1})
    // Nothing to put into a part; the driver sends an empty one.
    expect(planParts(0, ticketLimits(S3_TICKET))).to.include({count: 0})
    expect(planParts(40 * MIB, ticketLimits(WHOLE_TICKET))).to.include({count: 0})
    expect(planParts(33 * MIB, ticketLimits(OPEN_TICKET))).to.include({partSize: 16 * MIB, count: 3})
    for (const ticket of [S3_TICKET, WHOLE_TICKET, OPEN_TICKET]) {
      expect(() => planParts(41 * MIB, ticketLimits(ticket))).to.throw('more than the 40 MiB that the ticket allows')
    }
    expect(() => planParts(33 * MIB, ticketLimits(OPEN_TICKET), {partSize: 8 * MIB})).to.throw('16 MiB to 16 MiB')
    const exact: Ticket = {...S3_TICKET, size: {exact: 3}, parts: {...S3_TICKET.parts, count: 1, partSize: 3}}
    expect(planParts(3, ticketLimits(exact))).to.include({partSize: 3, count: 1})
  })

  const end = Date.parse(S3_TICKET.expires)

  it('ends', () => {
    expect(timeLeft(S3_TICKET, end - 5)).to.equal(5)
    expect(timeLeft(S3_TICKET, end + 5)).to.equal(0)
    expect(() => checkTime(S3_TICKET, end - 1)).not.to.throw()
    expect(() => checkTime(S3_TICKET, end + 3_600_000))
      .to.throw("The ticket ended 1 h ago by this machine's clock.")
      .with.property('code', 'expired')
  })

  it('is refused for what is too large, or what cannot arrive in time at 10 MiB a second', () => {
    expect(() => checkFit(S3_TICKET, 40 * MIB, end - 4001)).not.to.throw()
    expect(() => checkFit(S3_TICKET, 40 * MIB, end - 3999))
      .to.throw('The ticket ends in 4.0 s, and at 10 MiB/s this file takes 4.0 s.')
      .with.property('code', 'expired')
    expect(() => checkFit(S3_TICKET, 40 * MIB + 1, 0))
      .to.throw('more than the 40 MiB')
      .with.property('code', 'too-large')
    const exact: Ticket = {...S3_TICKET, size: {exact: 3}}
    expect(() => checkFit(exact, 3, 0)).not.to.throw()
    expect(() => checkFit(exact, 2, 0))
      .to.throw('exactly 3 bytes')
      .with.property('code', 'usage')
    expect(() => checkFit(exact, 4, 0))
      .to.throw('exactly 3 bytes')
      .with.property('code', 'too-large')
  })
})
