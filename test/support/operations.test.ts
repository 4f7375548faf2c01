import {expect} from 'chai'
import {type Operation, recogniseOperation} from './operations.ts'

const table: [string, string, Operation][] = [
  ['GET', '/', 'buckets'],
  ['GET', '/c?list-type=2&prefix=a%2F', 'list'],
  ['GET', '/c/', 'list'],
  ['GET', '/c?uploads&prefix=a', 'listUploads'],
  ['GET', '/c?cors=', 'bucket'],
  ['PUT', '/c?cors', 'bucket'],
  ['PUT', '/c', 'bucket'],
  ['HEAD', '/c', 'bucket'],
  ['DELETE', '/c', 'bucket'],
  ['POST', '/c?delete=', 'delete'],
  ['POST', '/c', 'post'],
  ['OPTIONS', '/c/k', 'preflight'],
  ['POST', '/c/a/b?uploads=', 'create'],
  ['PUT', '/c/k?x-id=UploadPart&partNumber=3&uploadId=u', 'part'],
  ['GET', '/c/k?uploadId=u&max-parts=1000', 'listParts'],
  ['POST', '/c/k?uploadId=u', 'complete'],
  ['DELETE', '/c/k?uploadId=u', 'abort'],
  ['PUT', '/c//k?X-Amz-Signature=1', 'put'],
  ['PUT', '/c/AUTH_x', 'put'],
  ['HEAD', '/c/k', 'head'],
  ['GET', '/c/k', 'get'],
  ['DELETE', '/c/k', 'delete'],
  ['GET', '/auth/v1.0', 'auth'],
  ['POST', '/v3/auth/tokens', 'auth'],
  ['GET', '/info', 'info'],
  ['GET', '/v1/AUTH_test?format=json', 'buckets'],
  ['POST', '/v1/AUTH_test', 'account'],
  ['POST', '/v1/AUTH_test?bulk-delete', 'delete'],
  ['GET', '/v1/AUTH_test/c?format=json', 'list'],
  ['PUT', '/v1/AUTH_test/c', 'bucket'],
  ['PUT', '/v1/AUTH_test/c/a/b', 'put'],
  ['PUT', '/v1/AUTH_test/c_segments/a/0001', 'part'],
  ['PUT', '/v1/AUTH_test/c+segments/a/0001', 'part'],
  ['PUT', '/v1/AUTH_test/c/.segments/a/0001', 'part'],
  ['PUT', '/v1/AUTH_test/c/a.parts/0001', 'part'],
  ['PUT', '/v1/AUTH_test/c/a?multipart-manifest=put', 'complete'],
  ['PUT', '/v1/AUTH_test/c_segments/a/skylift-1/00000000', 'create'],
  ['GET', '/v1/AUTH_test/c_segments?format=json&prefix=a%2Fskylift-1%2F', 'listParts'],
  ['GET', '/v1/AUTH_test/c_segments?format=json&prefix=a', 'listUploads'],
  ['DELETE', '/v1/AUTH_test/c_segments/a/0001', 'abort'],
  ['HEAD', '/v1/AUTH_test/c_segments', 'bucket'],
  ['HEAD', '/v1/AUTH_test/c/a', 'head'],
  ['DELETE', '/v1/AUTH_test/c/a?multipart-manifest=delete', 'delete'],
]

describe('operations', () => {
  for (const [method, url, operation] of table) {
    it(`${method} ${url} is ${operation}`, () => {
      expect(recogniseOperation(method, url)).to.equal(operation)
    })
  }
})
