import { expect, it } from 'vitest';
import { readDeploymentSettings } from '../../infra/stack/settings.ts';

const read = (context: Readonly<Record<string, unknown>>) => readDeploymentSettings((name) => context[name]);

it('admits signed requests only, when nothing is said', () => {
  expect(read({})).toEqual({ authorization: { kind: 'iam' }, transport: 'sdk', keep: false });
  expect(read({ auth: 'iam' })).toEqual({ authorization: { kind: 'iam' }, transport: 'sdk', keep: false });
});

it('admits the tokens of an issuer for the named audiences', () => {
  const context = { auth: 'jwt', jwtIssuer: 'https://issuer.example/', jwtAudience: 'shop, app' };
  expect(read(context)).toEqual({
    authorization: { kind: 'jwt', issuer: 'https://issuer.example/', audience: ['shop', 'app'] },
    transport: 'sdk',
    keep: false,
  });
});

it('admits anybody only when it is told to', () => {
  expect(read({ auth: 'anonymous' })).toMatchObject({ authorization: { kind: 'anonymous' }, keep: false });
});

it('goes without the AWS SDK when it is told to', () => {
  expect(read({ transport: 'lite' })).toMatchObject({ transport: 'lite' });
});

it('keeps the tables when it is told to, by the command line or by cdk.json', () => {
  for (const keep of ['true', true]) expect(read({ keep })).toMatchObject({ keep: true });
  for (const keep of ['false', false]) expect(read({ keep })).toMatchObject({ keep: false });
});

it.each([
  [{ auth: 'none' }, "auth is 'none'"],
  [{ keep: 'yes' }, "keep is 'yes'"],
  [{ keep: '' }, "keep is ''"],
  [{ auth: '' }, "auth is ''"],
  [{ transport: 'http' }, "transport is 'http'"],
  [{ auth: 'jwt', jwtAudience: 'shop' }, 'needs jwtIssuer'],
  [{ auth: 'jwt', jwtIssuer: 'http://issuer.example', jwtAudience: 'shop' }, 'the https URL'],
  [{ auth: 'jwt', jwtIssuer: 'https://issuer.example' }, 'needs jwtAudience'],
  [{ auth: 'jwt', jwtIssuer: 'https://issuer.example', jwtAudience: 'shop,' }, 'needs jwtAudience'],
  [{ jwtIssuer: 'https://issuer.example' }, 'need auth=jwt'],
  [{ auth: 'anonymous', jwtAudience: 'shop' }, 'need auth=jwt'],
])('refuses %j, and says what may be chosen', (context, message) => {
  expect(() => read(context)).toThrow(message);
  expect(() => read(context)).toThrow('-c auth=anonymous');
});
