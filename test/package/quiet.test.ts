import {execFile} from 'node:child_process'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {closeAll, openSandbox} from '../sandbox/support.ts'
import {makeTempFolder} from '../support/temp-folder.ts'

const run = promisify(execFile)
const LIBRARY = new URL('../../dist/index.js', import.meta.url).href

/** On a Node of which the SDK says that it will leave it behind. */
const PROGRAM = `
Object.defineProperty(process, 'version', {value: 'v20.19.0'})
const {isFailure, openStore, parseTarget} = await import(${JSON.stringify(LIBRARY)})
const store = await openStore('s3')
try {
  await store.createContainer(parseTarget('s3://quiet'), {}, {signal: AbortSignal.timeout(20_000)})
  console.log('created')
} catch (error) {
  console.log(isFailure(error) ? error.code : error)
}
`

describe('the library, where the AWS SDK would print a notice', () => {
  after(closeAll)

  async function runProgram(env: Readonly<Record<string, string>>): Promise<{stdout: string; stderr: string}> {
    const {PATH = ''} = process.env
    return run(process.execPath, ['--input-type=module', '-e', PROGRAM], {env: {PATH, ...env}})
  }

  it('prints nothing for a container', async () => {
    const {endpoint, region, accessKeyId, secretAccessKey} = await openSandbox()
    const keys = {AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey}
    const ended = await runProgram({AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, ...keys})
    expect(ended).to.deep.equal({stdout: 'created\n', stderr: ''})
  })

  it('prints nothing for credentials that it fetches', async () => {
    const folder = await makeTempFolder()
    const token = join(folder, 'token')
    await writeFile(token, 'a-token')
    const ended = await runProgram({
      HOME: folder,
      AWS_REGION: 'eu-central-1',
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/upload',
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
    })
    expect(ended).to.deep.equal({stdout: 'auth\n', stderr: ''})
  })
})
