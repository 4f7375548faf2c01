import {S3Client} from '@aws-sdk/client-s3'

/** client-s3 as it comes, or with what makes it cheapest: no signed hash of a body, no Expect, no default checksum. */
export function createClient(isTuned) {
  const common = {
    endpoint: process.env.AWS_ENDPOINT_URL,
    region: process.env.AWS_REGION,
    forcePathStyle: true,
  }
  if (!isTuned) return new S3Client(common)
  const client = new S3Client({
    ...common,
    expectContinueHeader: false,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  client.middlewareStack.add(
    next => args => {
      args.request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
      return next(args)
    },
    {step: 'build', name: 'unsignedPayload'},
  )
  return client
}
