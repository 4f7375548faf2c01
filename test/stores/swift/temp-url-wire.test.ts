import {expect} from 'chai'
import type {TempUrlKeys, TempUrlOptions} from '../../../src/stores/store.ts'
import {failureOf, newCall} from '../contract/bench.ts'
import {createNockedAgents} from '../../support/nock.ts'
import {openSwift} from './open-swift.ts'
import {at} from './upload-parts.ts'
import {answerSwift, asked, AUTH, INFO, openBare, stopAnswering} from './wire.ts'
import type {Seen} from './wire.ts'

const ACCOUNT = 'x-account-meta-temp-url-key'
const BOX = 'x-container-meta-temp-url-key'
const GET: TempUrlOptions = {method: 'GET', expiresIn: 60_000}

/** Without what every request has. */
function headersOf(seen: Seen | undefined): Record<string, string> {
  const {host: _, connection: __, 'x-auth-token': ___, ...headers} = seen?.headers ?? {}
  return headers
}

/** Answers for an account with these keys, and a cluster that says this of itself. */
function answerKeys(headers: Record<string, string>, info: object = INFO): Seen[] {
  return answerSwift(({path}) => (path === '/info' ? [200, JSON.stringify(info)] : [204, '', headers]))
}

afterEach(stopAnswering)

describe('the keys of temp URLs on the wire', () => {
  it('are read by one HEAD of the account or the container', async () => {
    const seen = answerKeys({[ACCOUNT]: 'one', [`${BOX}-2`]: 'two'})
    const {store} = await openBare()
    expect(await store.getTempUrlKeys(at('', ''), newCall())).to.deep.equal({key: 'one'})
    expect(await store.getTempUrlKeys(at('b ü'), newCall())).to.deep.equal({key2: 'two'})
    expect(asked(seen)).to.deep.equal(['HEAD ', 'HEAD /b%20%C3%BC'])
  })

  for (const [slot, container, name] of [
    ['key', '', ACCOUNT],
    ['key2', '', `${ACCOUNT}-2`],
    ['key', 'box', BOX],
    ['key2', 'box', `${BOX}-2`],
  ] as [keyof TempUrlKeys, string, string][]) {
    it(`are set by one POST that names ${name} and nothing else`, async () => {
      const seen = answerKeys({})
      await (await openBare()).store.setTempUrlKey(at(container), slot, 'a key', newCall())
      expect(asked(seen)).to.deep.equal([container === '' ? 'POST ' : 'POST /box'])
      expect(headersOf(seen[0])).to.deep.equal({[name]: 'a key', 'content-length': '0'})
    })
  }

  it('rotate in one POST, so that at no time both are new', async () => {
    const seen = answerKeys({[ACCOUNT]: 'one', [`${ACCOUNT}-2`]: 'zero'})
    await (await openBare()).store.rotateTempUrlKey(at('', ''), 'two', newCall())
    expect(asked(seen)).to.deep.equal(['HEAD ', 'POST '])
    expect(headersOf(seen[1])).to.deep.equal({[ACCOUNT]: 'two', [`${ACCOUNT}-2`]: 'one', 'content-length': '0'})
  })

  it('leave the second one alone where there was no first', async () => {
    const seen = answerKeys({[`${ACCOUNT}-2`]: 'zero'})
    await (await openBare()).store.rotateTempUrlKey(at('', ''), 'two', newCall())
    expect(headersOf(seen[1])).to.deep.equal({[ACCOUNT]: 'two', 'content-length': '0'})
  })

  it('come from OS_TEMP_URL_KEY, but not for a remote that has a sign-in of its own', async () => {
    const url = async (own: boolean): Promise<string> => {
      const env = {OS_TEMP_URL_KEY: 'of-env', ST_AUTH: AUTH.authUrl, ST_USER: AUTH.user, ST_KEY: AUTH.key}
      const {store} = await openSwift(own ? {auth: AUTH} : {}, {isBare: true, env, agents: createNockedAgents()})
      return (await store.tempUrl(at('box', 'x'), GET, newCall())).url
    }
    const seen = answerKeys({[ACCOUNT]: 'of-account'})
    await url(false)
    expect(asked(seen)).to.deep.equal(['GET /info'])
    await url(true)
    expect(asked(seen).slice(1)).to.deep.equal(['GET /info', 'HEAD '])
  })
})

describe('a cluster that says what it has of temp URLs', () => {
  const make = async (options: TempUrlOptions = GET) =>
    (await openBare()).store.tempUrl(at('box', 'x'), options, newCall())

  it('gets none signed that it would never take', async () => {
    answerKeys({[ACCOUNT]: 'k'}, {swift: INFO.swift})
    expect((await failureOf(make(), 'unsupported')).message).to.contain('has no temp URLs')
    stopAnswering()
    answerKeys({[ACCOUNT]: 'k'}, {...INFO, tempurl: {methods: ['GET', 'PUT']}})
    expect((await failureOf(make({...GET, method: 'DELETE'}), 'unsupported')).message).to.contain('GET, PUT')
    expect((await make({...GET, method: 'PUT'})).url).to.contain('temp_url_sig=')
  })
})
