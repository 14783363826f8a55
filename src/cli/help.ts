import type { CommandName } from './arguments.ts';

const TABLE = `  --table NAME             the table (required)
  --region REGION          else AWS_REGION, or the profile's
  --endpoint URL           another endpoint, DynamoDB Local for example
  --attributes JSON        names that differ from the defaults, as in dynamoDBStore: {"id":"pk","expiration":"ttl"}
  --sort-key NAME=VALUE    for a table with a sort key
  --store NAME             dynamodb, postgres (with the package pg) or redis (with ioredis) (default dynamodb)
  --url URL                of PostgreSQL or Redis, else DATABASE_URL or REDIS_URL. Others may see a command line: prefer these
  --schema NAME            of PostgreSQL, whose --table is idempotency where it is not given
  --key-prefix TEXT        of Redis, as in redisStore
  --codec MODULE           the file whose default export is the option \`codec\` of dynamoDBStore`;

const WRITE = `  --yes                    write without asking; without it and without a terminal, nothing is written
  --force OWNER            write although the lease of this owner is live: its execution may be running
  --retention-seconds N    how long the record is kept from now on
                           (default: as long as it would be kept, and a day at least)`;

const JSON_OPTION = '  --json                   one JSON document on standard output, whatever happens';

const EVENT = `  --key EXPRESSION         the option \`key\`: a path, or any JMESPath expression
  --scope EXPRESSION       the option \`scope\`
  --fingerprint EXPRESSION the option \`fingerprint\`
  --operation NAME         the option \`operation\`, or the Lambda function's name (default AWS_LAMBDA_FUNCTION_NAME)
  --http                   as httpIdempotency: the key from the header, the scope from the verified identity;
                           --scope may also be \`anonymous\`
  --header NAME            with --http: the option \`headerName\` (default Idempotency-Key)
  --methods LIST           with --http: the option \`methods\` (default POST,PATCH)`;

const EXIT_CODES = `Exit codes:
  0  done
  1  failed (after a write whose answer was lost: look again), or the record has changed meanwhile
  2  wrong usage
  3  there is no such record
  4  refused: the lease is live, the record is settled, or the write was not confirmed;
     for explain and migrate check: the event has no record id`;

const COMMANDS: Record<CommandName, string> = {
  show: `middy-idempotency show ID --table NAME

Shows a record in readable form. Needs dynamodb:GetItem.

${TABLE}
  --outcome                also the stored response or error, which may be confidential
${JSON_OPTION}`,
  release: `middy-idempotency release ID --table NAME

Resolves an unknown outcome. Use it when you know that nothing happened: the next request with this key executes.
Shows the record and asks. Writes only if the record is still as shown. Needs dynamodb:GetItem and dynamodb:PutItem.

${TABLE}
${WRITE}
${JSON_OPTION}`,
  complete: `middy-idempotency complete ID --table NAME --response FILE

Resolves an unknown outcome. Use it when you know what happened: retries get this response, and nothing executes.
Shows the record and asks. Writes only if the record is still as shown. Needs dynamodb:GetItem and dynamodb:PutItem.

  --response FILE          the response as the handler would have returned it, as JSON; - reads standard input
  --no-response            the handler returns nothing (undefined)
${TABLE}
${WRITE}
${JSON_OPTION}`,
  explain: `middy-idempotency explain EVENT.json --key EXPRESSION
middy-idempotency explain EVENT.json --http

Prints the record id that the running guard uses for an event, and what it is made of. If there is none, says why.
The event is what the handler gets, or the first argument of a guarded function; - reads standard input.
Needs no table and no AWS SDK.

${EVENT}
${JSON_OPTION}`,
  'migrate check': `middy-idempotency migrate check EVENT.json --table NAME --key EXPRESSION|--http --powertools JSON

Shows both ids and both records of an event: those of this package, and those of Powertools' idempotency utility.
Writes nothing. Needs dynamodb:GetItem on both tables.

  --powertools JSON        the options of powertoolsRecords as in the guard: {"eventKeyJmesPath":"id","keyPrefix":"pay"}.
                           \`tableName\` is --table where it is not given
${EVENT}
${TABLE}
${JSON_OPTION}`,
  schema: `middy-idempotency schema postgres

Prints the table for postgresStore as SQL. Asks no database.

  --table NAME             default idempotency
  --schema NAME            default: the first schema of the search path
${JSON_OPTION}`,
};

export function helpText(topic: CommandName | undefined): string {
  if (topic !== undefined) return `${COMMANDS[topic]}\n\n${EXIT_CODES}\n`;
  return `middy-idempotency: looks at idempotency records, and resolves unknown outcomes

  show ID --table NAME                        shows a record
  release ID --table NAME                     nothing happened: lets the next request execute
  complete ID --table NAME --response FILE    it happened: gives retries this response
  explain EVENT.json --key EXPRESSION|--http  prints the record id of an event
  migrate check EVENT.json --powertools JSON  shows what this package and Powertools have for an event
  schema postgres                             prints the table for PostgreSQL

  COMMAND --help                              its options
  --version

${EXIT_CODES}
`;
}
