import type { RequestOptions } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { expect, it } from 'vitest';
import { useGateway } from './gateway.ts';

const open = useGateway();

async function eventOf(path: string, options: RequestOptions, body?: string | Buffer): Promise<APIGatewayProxyEventV2> {
  let received: APIGatewayProxyEventV2 | undefined;
  const { send } = await open(async (event) => {
    received = event;
  });
  (await send(path, options, body)).resume();
  if (received === undefined) throw new Error('the function was not invoked');
  return received;
}

it('makes an event of the shape of payload format 2.0', async () => {
  const event = await eventOf('/a%20path?one=1&two=2&one=%263', {
    method: 'PUT',
    headers: { 'X-Name': ['a', 'b'], cookie: 'one=1; two=2', 'user-agent': 'agent', host: 'api.example:3000' },
  });
  expect(event).toEqual({
    version: '2.0',
    routeKey: '$default',
    rawPath: '/a path',
    rawQueryString: 'one=1&two=2&one=%263',
    cookies: ['one=1', 'two=2'],
    headers: expect.objectContaining({ 'x-name': 'a,b', host: 'api.example:3000' }),
    queryStringParameters: { one: '1,&3', two: '2' },
    requestContext: {
      accountId: expect.any(String),
      apiId: expect.any(String),
      domainName: 'api.example:3000',
      domainPrefix: 'api',
      http: { method: 'PUT', path: '/a path', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'agent' },
      requestId: expect.any(String),
      routeKey: '$default',
      stage: '$default',
      time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      timeEpoch: expect.any(Number),
    },
    isBase64Encoded: false,
  });
  expect(event.headers).not.toHaveProperty('cookie');
});

it.each(['application/json', 'text/plain; charset=utf-8', 'Application/XML'])(
  'has a body of %s as text',
  async (type) => {
    const event = await eventOf('/', { method: 'POST', headers: { 'content-type': type } }, '{"ä":1}');
    expect(event).toMatchObject({ body: '{"ä":1}', isBase64Encoded: false });
  },
);

it.each(['application/octet-stream', 'application/x-www-form-urlencoded', ''])(
  'hands on a body of content type "%s" in base64',
  async (type) => {
    const headers = type === '' ? {} : { 'content-type': type };
    const event = await eventOf('/', { method: 'POST', headers }, 'a=1');
    expect(event).toMatchObject({ body: 'YT0x', isBase64Encoded: true });
  },
);

it('loses no byte of a text that is no text', async () => {
  const headers = { 'content-type': 'text/plain' };
  const event = await eventOf('/', { method: 'POST', headers }, Buffer.from([0xff, 0xfe]));
  expect(event).toMatchObject({ body: '//4=', isBase64Encoded: true });
});
